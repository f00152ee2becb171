/**
 * The frames of an HTTP/2 connection (RFC 9113, 4.1) as they pass by, beside Node's client: it tells a cut answer like a
 * whole one where the server says RST_STREAM NO_ERROR, and ends streams that are still answered on a GOAWAY with an error.
 */
/** Types of frames. */
export const frameTypes = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7, continuation: 9 } as const;

/** The parameter of SETTINGS that bounds how many streams a client may have open. */
export const maxConcurrentStreams = 3;
const endStreamFlag = 1;
const endHeadersFlag = 4;
const ackFlag = 1;
const headLength = 9;
/** Longest payload that is read; a longer one is against what we announced, and nghttp2 says so. */
const longestPayload = 16_384;
const withPayload: ReadonlySet<number> = new Set([frameTypes.reset, frameTypes.settings, frameTypes.goaway]);
/** What a client says before its first frame. */
export const prefaceLength = 24;

/** A frame, read. */
export interface Frame {
  readonly type: number;
  readonly isAck: boolean;
  readonly streamId: number;
  /** Of RST_STREAM, SETTINGS and GOAWAY only. */
  readonly payload: Buffer;
}

const none = Buffer.alloc(0);

/** Who hears of frames. */
export interface FrameListener {
  /** A frame's head has come, and its payload where that is read. @returns whether it is kept back */
  begun(frame: Frame): boolean;
  /** The last frame of a stream has come to its end. */
  ended?(streamId: number): void;
}

/** Finds the frames in bytes that come in any pieces. */
export class FrameReader {
  private readonly listener: FrameListener;
  /** The stream that ends with the frame under way, or with the rest of its head. */
  private ending: number | null = null;
  private isHeadOver = true;
  /** The begin of a frame that cannot be told yet. */
  private rest: Buffer = none;
  /** Bytes that pass before the next frame begins. */
  private left: number;

  /** @param skip bytes before the first frame */
  constructor(listener: FrameListener, skip = 0) {
    this.listener = listener;
    this.left = skip;
  }

  /** Takes the next bytes, and hands on what is not kept back. */
  read(bytes: Buffer, pass: (bytes: Buffer) => void): void {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    let from = 0;
    let at = Math.min(this.left, all.length);
    this.left -= at;
    this.tellEnd();
    while (this.left === 0 && all.length - at >= headLength) {
      const length = all.readUIntBE(at, 3);
      const type = all[at + 3] ?? 0;
      const end = at + headLength + length;
      const isRead = withPayload.has(type) && length <= longestPayload;
      if (isRead && end > all.length) break;
      const flags = all[at + 4] ?? 0;
      const streamId = all.readUInt32BE(at + 5) & 0x7f_ff_ff_ff;
      const isHidden = this.listener.begun({
        type,
        isAck: (flags & ackFlag) !== 0,
        streamId,
        payload: isRead ? all.subarray(at + headLength, end) : none,
      });
      const isOfAnswer = type === frameTypes.data || type === frameTypes.headers;
      if (isOfAnswer && (flags & endStreamFlag) !== 0) this.ending = streamId;
      if (type === frameTypes.headers || type === frameTypes.continuation) {
        this.isHeadOver = (flags & endHeadersFlag) !== 0;
      }
      if (isHidden) {
        if (at > from) pass(all.subarray(from, at));
        from = end;
      }
      at = Math.min(end, all.length);
      this.left = end - at;
      this.tellEnd();
    }
    if (at > from) pass(all.subarray(from, at));
    this.rest = all.subarray(at);
  }

  private tellEnd(): void {
    const { ending } = this;
    if (ending === null || this.left > 0 || !this.isHeadOver) return;
    this.ending = null;
    this.listener.ended?.(ending);
  }
}

/** Highest stream that a GOAWAY says may be answered, and its code; null where it is too short. */
export function readGoaway({ payload }: Frame): { lastId: number; code: string } | null {
  if (payload.length < 8) return null;
  return { lastId: payload.readUInt32BE(0) & 0x7f_ff_ff_ff, code: codeName(payload.readUInt32BE(4)) };
}

/** The code of an RST_STREAM. */
export function readReset({ payload }: Frame): string | null {
  return payload.length === 4 ? codeName(payload.readUInt32BE(0)) : null;
}

/** What SETTINGS say of a parameter; null where they say nothing. */
export function readSetting({ payload }: Frame, parameter: number): number | null {
  let value: number | null = null;
  for (let at = 0; at + 6 <= payload.length; at += 6) {
    if (payload.readUInt16BE(at) === parameter) value = payload.readUInt32BE(at + 2);
  }
  return value;
}

const codeNames = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

/** An error code by its name in RFC 9113, 7. */
export function codeName(code: number): string {
  return codeNames[code] ?? `0x${code.toString(16)}`;
}
