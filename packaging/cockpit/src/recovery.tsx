import { useState } from "react";
import { Button, Checkbox } from "@patternfly/react-core";
import { _ } from "./i18n";
import { CopyButton, Notice } from "./ui";

/** Recovery codes, which are shown this once: to copy, to download, to print. */
export function RecoveryCodes({ codes, intro, onDone }: { codes: string[]; intro: string; onDone: () => void }) {
    const [kept, setKept] = useState(false);
    return (
        <div className="sp-stack sp-print">
            <p>{intro}</p>
            <Notice variant="warning" isInline title={_("Your recovery codes, each good for one login without the phone. They are not shown again.")}>
                {_("Keep them where your phone is not.")}
            </Notice>
            <ul className="sp-codes" aria-label={_("Recovery codes")}>
                {codes.map((code) => <li key={code}><code>{code}</code></li>)}
            </ul>
            <div className="sp-buttons sp-screen">
                <CopyButton text={codes.join("\n")} label={_("Copy")} />
                <Button variant="secondary" onClick={() => download(codes)}>{_("Download")}</Button>
                <Button variant="secondary" onClick={() => window.print()}>{_("Print")}</Button>
            </div>
            <div className="sp-screen">
                <Checkbox id="kept" label={_("I have kept the recovery codes.")} isChecked={kept} onChange={(_event, checked) => setKept(checked)} />
            </div>
            <div className="sp-buttons sp-screen">
                <Button variant="primary" isDisabled={!kept} onClick={onDone}>{_("Done")}</Button>
            </div>
        </div>
    );
}

/** Has the browser save the codes. The link is to the browser's memory: nothing of them is in it, and it is taken back. */
function download(codes: string[]): void {
    const url = URL.createObjectURL(new Blob([codes.join("\n") + "\n"], { type: "text/plain" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = "recovery-codes.txt";
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
}
