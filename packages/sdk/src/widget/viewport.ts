/**
 * Keeps `panel` within what can be seen on a small screen. A virtual keyboard shrinks the visual viewport only, so that a
 * panel of full height would hide its text field behind it. Returns the way to stop.
 */
export function followViewport(panel: HTMLElement): () => void {
  const { visualViewport } = window;
  if (!visualViewport) return () => undefined;
  const follow = (): void => {
    panel.style.setProperty('--visible-height', `${visualViewport.height}px`);
    panel.style.setProperty('--visible-top', `${visualViewport.offsetTop}px`);
  };
  visualViewport.addEventListener('resize', follow);
  visualViewport.addEventListener('scroll', follow);
  follow();
  return () => {
    visualViewport.removeEventListener('resize', follow);
    visualViewport.removeEventListener('scroll', follow);
  };
}
