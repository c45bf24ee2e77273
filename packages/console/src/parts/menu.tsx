import * as Dropdown from '@radix-ui/react-dropdown-menu';
import { Fragment, type ReactNode } from 'react';
import { useTexts } from '../words/words.js';
import { Icon, type IconName } from './icon.js';
import { common } from './texts.js';

export interface MenuItem {
  name: string;
  icon?: IconName;
  danger?: boolean;
  /** Whether it is the one of a few that holds now. */
  chosen?: boolean;
  act: () => void;
}

/** A button that opens a menu. Groups are told apart by a line. */
export function Menu({ children, groups, side = 'bottom', align = 'end' }: { children: ReactNode; groups: readonly (readonly MenuItem[])[]; side?: 'top' | 'bottom'; align?: 'start' | 'end' }): ReactNode {
  return (
    <Dropdown.Root modal={false}>
      <Dropdown.Trigger asChild>{children}</Dropdown.Trigger>
      <Dropdown.Portal>
        <Dropdown.Content className="menu" side={side} align={align} sideOffset={6} collisionPadding={8}>
          {groups
            .filter((items) => items.length > 0)
            .map((items, at) => (
              <Fragment key={items.map(({ name }) => name).join()}>
                {at > 0 && <Dropdown.Separator className="menu-line" />}
                {items.map((item) => (
                  // The menu closes first, so that a dialog gives the focus back to its button.
                  <Dropdown.Item key={item.name} className={item.danger ? 'menu-item danger' : 'menu-item'} onSelect={() => setTimeout(item.act)}>
                    {item.icon && <Icon name={item.icon} />}
                    <span>{item.name}</span>
                    {item.chosen && <Icon name="check" />}
                  </Dropdown.Item>
                ))}
              </Fragment>
            ))}
        </Dropdown.Content>
      </Dropdown.Portal>
    </Dropdown.Root>
  );
}

/** What can be done with one of a list. Nothing is shown where nothing can. */
export function RowMenu({ what, groups }: { what: string; groups: readonly (readonly MenuItem[])[] }): ReactNode {
  const say = useTexts(common);
  if (groups.every((items) => items.length === 0)) return null;
  return (
    <Menu groups={groups}>
      <button type="button" className="icon-button" aria-label={say('actions', { what })}>
        <Icon name="dots" />
      </button>
    </Menu>
  );
}
