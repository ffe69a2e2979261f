/**
 * The forms in which names are compared (F-ID1: unique without regard to case). Pure, and shared by registration,
 * login and `emulsion vault rebuild-claims`: a claim is made of the folded value, so these never change for values
 * that exist.
 */
export function foldUsername(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}

export function foldEmail(email: string): string {
  return email.trim().normalize('NFKC').toLowerCase();
}
