import base from './style/base.css';
import conversation from './style/conversation.css';
import launcher from './style/launcher.css';
import panel from './style/panel.css';

/** Adds styles to a shadow root, the widget's own to begin with. Constructed sheets need no `style-src 'unsafe-inline'`. */
export function adoptStyles(shadow: ShadowRoot, styles = base + launcher + panel + conversation): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(styles);
  shadow.adoptedStyleSheets = [...shadow.adoptedStyleSheets, sheet];
}
