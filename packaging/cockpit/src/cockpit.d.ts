/** What this page uses of cockpit.js, which Cockpit brings (cockpit-project's "API documentation: base1"). */
declare module "cockpit" {
    export interface Spawned extends Promise<string> {
        close(problem?: string): void;
    }

    export interface SpawnOptions {
        superuser?: "try" | "require";
        err?: "out" | "ignore" | "message";
        environ?: string[];
    }

    /** What a spawn is refused with. */
    export interface ProcessError {
        problem: string | null;
        exit_status: number | null;
        message: string;
    }

    export interface ChannelOptions {
        payload: "stream";
        unix: string;
        binary: true;
        superuser?: "try" | "require";
    }

    export interface CloseEvent {
        problem?: string;
        message?: string;
    }

    export interface Channel {
        send(data: Uint8Array): void;
        close(problem?: string): void;
        addEventListener(name: "message", handler: (event: unknown, data: Uint8Array) => void): void;
        addEventListener(name: "close", handler: (event: unknown, options: CloseEvent) => void): void;
    }

    export interface Location {
        path: string[];
        go(path: string[]): void;
    }

    export interface Permission {
        allowed: boolean | null;
        addEventListener(name: "changed", handler: () => void): void;
    }

    export interface User {
        name: string;
        full_name: string;
        id: number;
    }

    export interface Cockpit {
        spawn(command: string[], options?: SpawnOptions): Spawned;
        channel(options: ChannelOptions): Channel;
        user(): Promise<User>;
        permission(options: { admin: true }): Permission;
        gettext(text: string): string;
        ngettext(one: string, many: string, n: number): string;
        format(text: string, ...values: (string | number)[]): string;
        language: string;
        location: Location;
        addEventListener(name: "locationchanged", handler: () => void): void;
        removeEventListener(name: "locationchanged", handler: () => void): void;
        jump(path: string): void;
        hidden: boolean;
    }

    const cockpit: Cockpit;
    export default cockpit;
}
