/**
 * What the page can do where scripts run: sort by a column, filter by words, show failures only. Without
 * it the tables stand as they are.
 */
export const pageScript = String.raw`'use strict';
for (const tools of document.querySelectorAll('.tools')) {
  const table = document.getElementById(tools.dataset.for);
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const search = tools.querySelector('[type=search]');
  const only = tools.querySelector('[type=checkbox]');
  const count = tools.querySelector('output');

  const show = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, i) => {
      const fits =
        words.every((word) => texts[i].includes(word)) &&
        !(only && only.checked && !row.classList.contains('failed'));
      row.hidden = !fits;
      if (fits) shown += 1;
    });
    count.textContent = shown + ' of ' + rows.length + (rows.length === 1 ? ' row' : ' rows');
  };
  search.addEventListener('input', show);
  search.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') {
      search.value = '';
      show();
    }
  });
  if (only) only.addEventListener('change', show);
  show();
  tools.hidden = false;

  const number = (text) => {
    const value = text === '∞' ? Infinity : parseFloat(text);
    return Number.isNaN(value) ? undefined : value;
  };
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const names = new Intl.Collator('en', { numeric: true });
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.append(...head.childNodes);
    head.append(button);
    const numeric = head.classList.contains('n');
    button.addEventListener('click', () => {
      const first = numeric ? 'descending' : 'ascending';
      const second = numeric ? 'ascending' : 'descending';
      const before = head.getAttribute('aria-sort');
      const order = before === null ? first : before === first ? second : null;
      for (const other of heads) other.removeAttribute('aria-sort');
      if (order === null) {
        body.append(...rows);
        return;
      }
      head.setAttribute('aria-sort', order);
      const sign = order === 'ascending' ? 1 : -1;
      const keyed = rows.map((row) => {
        const text = row.cells[column].textContent;
        return { row, key: numeric ? number(text) : text };
      });
      // What has no number comes last, whichever way the others run.
      keyed.sort((a, b) => {
        if (a.key === undefined || b.key === undefined) {
          return (a.key === undefined) - (b.key === undefined);
        }
        return sign * (numeric ? compare(a.key, b.key) : names.compare(a.key, b.key));
      });
      body.append(...keyed.map(({ row }) => row));
    });
  });
}`;
