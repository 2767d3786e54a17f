export interface Message {
    msgid: string;
    plural: string | undefined;
}
export function messages(page: string): Map<string, Message>;
