/**
 * Bytes of a request's line and headers. uWebSockets takes 4,096 unless this is set when it is loaded, and answers in
 * HTML above it; nginx passes on 32 KiB at most, so that its problem document comes first.
 */
process.env.UWS_HTTP_MAX_HEADERS_SIZE = String(40 * 1024);
