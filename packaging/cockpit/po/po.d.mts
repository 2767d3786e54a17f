export interface Entry {
    msgid: string;
    msgid_plural?: string;
    msgstr: string[];
    comments?: { flag?: string };
}
export interface Translation {
    language: string;
    plural: string;
    entries: Entry[];
}
export function readPo(path: string): Translation;
export function catalogue(po: Translation): string;
export function manifestCatalogue(po: Translation, manifest: string): string;
