// The token stands after the # of the address, which browsers send to nobody. It is taken out of the history at once.
const token = new URLSearchParams(location.hash.slice(1)).get('token');
history.replaceState(undefined, '', location.pathname);
const state = document.getElementById('state');
if (token?.startsWith('adm_')) {
  const shown = document.getElementById('token');
  const copy = document.getElementById('copy');
  state.textContent = 'This is your administrator token:';
  shown.textContent = token;
  shown.hidden = copy.hidden = false;
  copy.addEventListener('click', async () => {
    await navigator.clipboard.writeText(token);
    copy.textContent = 'Copied';
  });
} else {
  state.textContent = 'This address carries no token. Open the whole link that you were given.';
}
