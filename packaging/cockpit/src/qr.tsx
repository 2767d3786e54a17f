import { useMemo } from "react";
import { encode } from "uqr";

/** A QR code as a picture, drawn here: black on white in both themes, for cameras want it so. */
export function QRCode({ text, label }: { text: string; label: string }) {
    const { path, size } = useMemo(() => {
        const code = encode(text, { ecc: "M", border: 4 });
        const path = code.data.flatMap((row, y) => row.map((dark, x) => (dark ? `M${x} ${y}h1v1h-1z` : ""))).join("");
        return { path, size: code.size };
    }, [text]);
    return (
        <svg className="sp-qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges">
            <rect width={size} height={size} fill="#fff" />
            <path d={path} fill="#000" />
        </svg>
    );
}
