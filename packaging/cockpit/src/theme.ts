/** Light or dark as Cockpit's shell is: its menu writes "shell:style", and says so by the event "cockpit-style". */
const darkClass = "pf-v5-theme-dark";

function follow(style = localStorage.getItem("shell:style") ?? "auto"): void {
    const dark = style === "dark" || (style === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    document.documentElement.classList.toggle(darkClass, dark);
}

export function followTheme(): void {
    addEventListener("storage", (event) => {
        if (event.key === "shell:style") {
            follow();
        }
    });
    addEventListener("cockpit-style", (event) => follow((event as CustomEvent<{ style: string }>).detail.style));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => follow());
    follow();
}
