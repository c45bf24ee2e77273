import type { Message, MessagePart } from '../public.js';
import type { ViewContext } from '../widget/message-view.js';
import { renderCards } from './cards.js';
import { renderButtons, renderList } from './choices.js';
import { renderMedia } from './media.js';
import { renderContact, renderLocation } from './people-and-places.js';
import { objectsOf } from './read.js';
import styles from './style/rich.css';

/** What a part looks like: within its bubble (nothing said: its words stay), and below it. */
export interface Rendered {
  within?: Node[];
  below?: Node[];
  /** Shows what the visitor has pressed in this message. */
  mark?: (chosen: ReadonlySet<string>) => void;
}

const dressed = new WeakSet<ViewContext>();

/** Shows a part that is more than text. A part without what it needs stays the words it was. */
export function renderRich(part: MessagePart, message: Message, context: ViewContext): Rendered {
  if (!dressed.has(context)) {
    dressed.add(context);
    context.adopt(styles);
  }
  switch (part.type) {
    case 'buttons':
      return renderButtons(part, message, context);
    case 'list':
      return renderList(part, message, context);
    case 'card':
      return renderCards([part], message, context);
    case 'carousel':
      return renderCards(objectsOf(part.cards), message, context, part.text);
    case 'location':
      return renderLocation(part, context);
    case 'contact':
      return renderContact(part, context);
    default:
      return renderMedia(part, message, context);
  }
}

