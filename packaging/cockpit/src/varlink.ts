/** Calls to the daemon over its Varlink socket, through Cockpit's bridge. Who calls, the daemon reads from the socket. */
import cockpit from "cockpit";
import { encodeCall, Replies, type Reply } from "./frames";

const address = "/run/sallyport/io.sallyport";

/** The daemon has refused a call. name is the error's, without its interface. */
export class Refusal extends Error {
    constructor(readonly error: string, readonly parameters: Record<string, unknown>) {
        super(error);
    }

    get kind(): string {
        return this.error.slice(this.error.lastIndexOf(".") + 1);
    }

    /** A parameter that is text; empty where there is none. */
    text(name: string): string {
        const value = this.parameters[name];
        return typeof value === "string" ? value : "";
    }
}

/** The daemon could not be asked. problem is Cockpit's word for why; empty: the connection just ended. */
export class Unreachable extends Error {
    constructor(readonly problem: string) {
        super(problem);
    }
}

interface Waiting {
    part: (reply: Reply) => void;
    fail: (error: Error) => void;
}

/**
 * A connection, for one call after the other. It is made by the first call, and again where the daemon has ended it.
 * With administrator, it is root's where Cockpit has administrative access, and the person's own where not.
 */
export class Connection {
    private channel: import("cockpit").Channel | null = null;
    private waiting: Waiting | null = null;

    constructor(private readonly administrator: boolean) {}

    /** Calls a method that replies once. */
    async call<T>(method: string, parameters: object = {}): Promise<T> {
        let last: unknown;
        await this.ask(method, parameters, false, (reply) => { last = reply; });
        return last as T;
    }

    /** Calls a method that replies several times. */
    async each(method: string, parameters: object, fn: (reply: unknown) => void): Promise<void> {
        await this.ask(method, parameters, true, fn);
    }

    close(): void {
        this.channel?.close();
        this.channel = null;
    }

    private ask(method: string, parameters: object, more: boolean, fn: (reply: unknown) => void): Promise<void> {
        return new Promise((resolve, reject) => {
            this.waiting = {
                part: (reply) => {
                    if (reply.error !== undefined) {
                        this.waiting = null;
                        reject(new Refusal(reply.error, reply.parameters ?? {}));
                        return;
                    }
                    fn(reply.parameters ?? {});
                    if (!reply.continues) {
                        this.waiting = null;
                        resolve();
                    }
                },
                fail: reject,
            };
            this.channel ??= this.open();
            this.channel.send(encodeCall(method, parameters, more));
        });
    }

    private open(): import("cockpit").Channel {
        const channel = cockpit.channel({
            payload: "stream", unix: address, binary: true, ...(this.administrator ? { superuser: "try" as const } : {}),
        });
        const replies = new Replies();
        channel.addEventListener("message", (_event, data) => {
            try {
                for (const reply of replies.push(data)) {
                    this.waiting?.part(reply);
                }
            } catch {
                channel.close("protocol-error");
            }
        });
        channel.addEventListener("close", (_event, options) => {
            if (this.channel === channel) {
                this.channel = null;
            }
            const waiting = this.waiting;
            this.waiting = null;
            waiting?.fail(new Unreachable(options.problem ?? ""));
        });
        return channel;
    }
}

/** Does something on a connection of its own. */
export async function connected<T>(administrator: boolean, fn: (c: Connection) => Promise<T>): Promise<T> {
    const c = new Connection(administrator);
    try {
        return await fn(c);
    } finally {
        c.close();
    }
}
