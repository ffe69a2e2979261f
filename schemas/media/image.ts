/** Bytes of one original image (F-ME2): what an upload may announce, and what the pipeline reads. */
export const maxImageBytes = 50 * 1024 * 1024;
