import { createRoot } from "react-dom/client";
import "@patternfly/react-core/dist/styles/base.css";
import "./page.css";
import { App } from "./app";
import { _, locale } from "./i18n";
import { followTheme } from "./theme";

followTheme();
document.documentElement.lang = locale();
document.title = _("Two-Factor Authentication");
const root = document.getElementById("app");
if (root !== null) {
    createRoot(root).render(<App />);
}
