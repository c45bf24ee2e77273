import base from './style/base.css';
import conversation from './style/conversation.css';
import launcher from './style/launcher.css';
import panel from './style/panel.css';

/** Gives a shadow root the widget's styles. Constructed sheets need no `style-src 'unsafe-inline'`. */
export function adoptStyles(shadow: ShadowRoot): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(base + launcher + panel + conversation);
  shadow.adoptedStyleSheets = [sheet];
}
