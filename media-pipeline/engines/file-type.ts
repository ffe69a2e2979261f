import { fileTypeFromBuffer } from 'file-type';

/** The media type that the bytes themselves show; undefined when they show none that is known. */
export async function mediaTypeOf(bytes: Uint8Array): Promise<string | undefined> {
  return (await fileTypeFromBuffer(bytes))?.mime;
}
