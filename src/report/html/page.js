// What a reader can do with the report: point at a value, sort a table, filter its rows. Without it everything is still there.
(() => {
  'use strict';
  const hint = document.createElement('div');
  hint.id = 'hint';
  hint.hidden = true;
  document.body.append(hint);
  const point = event => {
    const target = event.target.closest && event.target.closest('[data-hint]');
    hint.hidden = !target;
    if (!target) return;
    hint.textContent = target.dataset.hint;
    const x = Math.min(event.clientX + 14, innerWidth - hint.offsetWidth - 8);
    const below = event.clientY + 18;
    const y = below + hint.offsetHeight > innerHeight ? event.clientY - hint.offsetHeight - 12 : below;
    hint.style.left = Math.max(8, x) + 'px';
    hint.style.top = Math.max(8, y) + 'px';
  };
  document.addEventListener('pointermove', point);
  document.addEventListener('pointerdown', point);
  document.addEventListener('scroll', () => { hint.hidden = true; }, true);
  document.addEventListener('keydown', event => { if (event.key === 'Escape') hint.hidden = true; });

  // What a reader chose outlives the reload of a page whose run is still going on.
  const recall = name => { try { return JSON.parse(sessionStorage.getItem(name)) || {}; } catch { return {}; } };
  const keep = (name, value) => { try { sessionStorage.setItem(name, JSON.stringify(value)); } catch { /* as private as it likes */ } };

  const number = text => parseFloat(text.replace(/^[<≤]/, ''));
  const order = (a, b) => {
    const [x, y] = [number(a), number(b)];
    if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
    return isNaN(x) ? a.localeCompare(b) : x - y;
  };

  for (const table of document.querySelectorAll('.figures > table')) {
    const name = document.title + '/' + table.caption.textContent;
    const chosen = recall(name);
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const heads = [...table.tHead.rows[0].cells];
    const sort = (column, direction) => {
      const text = row => row.cells[column].textContent;
      const known = row => text(row) !== '–';
      rows.sort((a, b) => known(b) - known(a) || direction * order(text(a), text(b)));
      body.append(...rows);
      heads.forEach((head, i) => {
        if (i === column) head.setAttribute('aria-sort', direction > 0 ? 'ascending' : 'descending');
        else head.removeAttribute('aria-sort');
      });
      keep(name, Object.assign(chosen, { column, direction }));
    };
    heads.forEach((head, column) => {
      const button = document.createElement('button');
      button.append(...head.childNodes);
      button.onclick = () => sort(column, head.getAttribute('aria-sort') === 'ascending' ? -1 : 1);
      head.append(button);
    });
    if (chosen.column in heads) sort(chosen.column, chosen.direction);
    if (rows.length < 4) continue;

    const label = document.createElement('label');
    label.className = 'filter';
    const input = document.createElement('input');
    input.type = 'search';
    input.value = chosen.words || '';
    const count = document.createElement('span');
    count.setAttribute('role', 'status');
    const filter = () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const text = [...row.cells].map(cell => cell.textContent.toLowerCase());
        row.hidden = !words.every(word => text.some(cell => cell.includes(word)));
        shown += !row.hidden;
      }
      count.textContent = words.length ? `${shown} of ${rows.length} rows` : '';
      keep(name, Object.assign(chosen, { words: input.value }));
    };
    input.oninput = filter;
    label.append('Filter ', input, count);
    table.parentElement.before(label);
    filter();
  }
})();
