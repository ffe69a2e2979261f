/** Why an upload is refused: stable codes, told to the uploader. Only what the bytes themselves say is in here. */
export type RejectionCode =
  /** There is no object, though the client said it had put one. */
  | 'media_missing'
  /** More bytes than the limit. */
  | 'media_too_large'
  /** The bytes are of no kind that we know, or of a kind that is no picture. */
  | 'media_not_an_image'
  /** A picture or a video, of a type that is not taken (HEIC, TIFF, SVG, MP4 …). */
  | 'media_type_unsupported'
  /** Cut off or damaged. */
  | 'media_broken'
  /** More pixels than the limit, whatever the file weighs. */
  | 'media_too_many_pixels'
  /** A picture that is an archive, a document or a page as well. */
  | 'media_polyglot';

export interface Rejected {
  rejected: RejectionCode;
}

export function reject(code: RejectionCode): Rejected {
  return { rejected: code };
}

export function isRejected(value: unknown): value is Rejected {
  return typeof value === 'object' && value !== null && 'rejected' in value;
}
