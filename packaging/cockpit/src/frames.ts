/**
 * Varlink on the wire: JSON objects, each ended by a NUL byte (varlink.org, "Method Call").
 */

/** A reply to a call. With continues, others follow it. */
export interface Reply {
    parameters?: Record<string, unknown>;
    error?: string;
    continues?: boolean;
}

/** A call as bytes. */
export function encodeCall(method: string, parameters: object, more: boolean): Uint8Array {
    const text = JSON.stringify({ method, parameters, ...(more ? { more } : {}) });
    return new TextEncoder().encode(text + "\0");
}

/** Puts together the replies that arrive in pieces. */
export class Replies {
    private pieces: Uint8Array[] = [];

    /** Takes a piece, and gives the replies that are whole now. It throws where one is no JSON. */
    push(piece: Uint8Array): Reply[] {
        const replies: Reply[] = [];
        let from = 0;
        for (let end = piece.indexOf(0); end >= 0; end = piece.indexOf(0, from)) {
            this.pieces.push(piece.subarray(from, end));
            replies.push(JSON.parse(this.take()) as Reply);
            from = end + 1;
        }
        if (from < piece.length) {
            this.pieces.push(piece.slice(from));
        }
        return replies;
    }

    private take(): string {
        const decoder = new TextDecoder();
        let text = "";
        for (const piece of this.pieces) {
            text += decoder.decode(piece, { stream: true });
        }
        this.pieces = [];
        return text + decoder.decode();
    }
}
