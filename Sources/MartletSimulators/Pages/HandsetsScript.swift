extension Pages {
    /// `/handsets.js`. Text from messages enters the page through `textContent` only.
    static let handsetsScript = #"""
        'use strict';
        const $ = (s, r = document) => r.querySelector(s);
        const root = document.documentElement, shelf = $('#shelf'), live = $('#live'), notice = $('#notice');
        const number = new Intl.NumberFormat('en');

        /* theme: the system's, until somebody chooses */
        const dark = matchMedia('(prefers-color-scheme: dark)');
        let chosen = new URLSearchParams(location.search).get('theme');
        try { chosen = chosen || localStorage.getItem('theme'); } catch { /* private window: the choice is not kept */ }
        const paint = () => { root.dataset.theme = chosen || (dark.matches ? 'dark' : 'light'); };
        paint();
        dark.addEventListener('change', paint);
        $('#theme').addEventListener('click', () => {
          chosen = root.dataset.theme === 'dark' ? 'light' : 'dark';
          try { localStorage.setItem('theme', chosen); } catch { /* as above */ }
          paint();
        });

        /* what the server said last; drawn at once, or after a pause */
        const phones = new Map();
        let order = [], operators = [], paused = false, touched = new Set(), first = true;

        const icon = name => {
          const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg'), use = document.createElementNS('http://www.w3.org/2000/svg', 'use');
          svg.setAttribute('class', 'i'); svg.setAttribute('aria-hidden', 'true'); use.setAttribute('href', '#i-' + name);
          svg.append(use);
          return svg;
        };
        const element = (tag, name, text) => {
          const e = document.createElement(tag);
          if (name) e.className = name;
          if (text !== undefined) e.textContent = text;
          return e;
        };
        const state = (kind, mark, words) => {
          live.className = 'live ' + kind;
          live.replaceChildren(icon(mark), element('span', '', words));
        };
        const say = words => { notice.textContent = words; notice.hidden = !words; };
        const post = async (path, body) => {
          try {
            const answer = await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: body ? JSON.stringify(body) : '' });
            say(answer.ok ? '' : (await answer.json()).detail);
            return answer.ok;
          } catch {
            say('The simulator did not answer. Is it still running?');
            return false;
          }
        };

        const ends = {
          DELIVRD: ['good', 'check', 'Delivered'], ENROUTE: ['', 'clock', 'Receipt to come'], HELD: ['', 'clock', 'Waits'],
          UNTOLD: ['', 'check', 'Shown'], WITHHELD: ['warn', 'mute', 'No receipt'], UNDELIV: ['bad', 'x', 'Not delivered'],
          EXPIRED: ['bad', 'x', 'Expired'], REJECTD: ['bad', 'x', 'Rejected'], DELETED: ['bad', 'x', 'Deleted'], UNKNOWN: ['warn', 'warn', 'Unknown'],
        };
        const clock = micros => new Date(micros / 1000).toTimeString().slice(0, 8);
        const spoken = n => /^\d{6,15}$/.test(n) ? '+' + n : n;

        /* what the phone wrote itself */
        const mine = m => {
          const li = element('li', 'bubble mine'), to = element('div', 'from');
          to.append(element('b', '', 'To ' + m.from), element('span', '', clock(m.atMicros)));
          li.append(to, element('p', '', m.text));
          return li;
        };
        const bubble = m => {
          if (m.written) return mine(m);
          const [kind, mark, words] = ends[m.state] || ends.UNKNOWN, gone = kind === 'bad';
          const li = element('li', 'bubble' + (gone ? ' gone' : m.text === null ? ' some' : m.flash ? ' flash' : ''));
          const from = element('div', 'from');
          from.append(element('b', '', m.from || 'no sender'), element('span', '', clock(m.atMicros)));
          const meta = element('div', 'meta'), end = element('span', 'end ' + kind);
          end.append(icon(mark), words);
          meta.append(element('span', '', m.parts > 1 ? `${m.alphabet}, ${m.parts} parts` : m.alphabet), end);
          if (m.flash) {
            const band = element('div', 'band');
            band.append(icon('flash'), 'Flash: shown at once, not kept');
            li.append(band);
          }
          li.append(from, element('p', '', gone ? 'This message never reached the phone.' : m.text === null ? `${m.arrived} of ${m.parts} parts have arrived.` : m.text), meta);
          return li;
        };

        const makePhone = n => {
          const slot = $('#phone').content.firstElementChild.cloneNode(true);
          slot.dataset.number = n;
          $('.number', slot).textContent = spoken(n);
          $('legend', slot).textContent = 'Phone ' + spoken(n) + ' is';
          $('.thread', slot).setAttribute('aria-label', 'Messages to ' + spoken(n));
          for (const radio of slot.querySelectorAll('input')) {
            radio.name = 'mode-' + n;
            radio.addEventListener('change', async () => {
              if (!await post('/sim/handsets/' + encodeURIComponent(n), { mode: radio.value })) drawPhone(n);
            });
          }
          return slot;
        };

        const slots = new Map();
        const drawPhone = n => {
          const phone = phones.get(n);
          let slot = slots.get(n);
          if (!slot) { slot = makePhone(n); slots.set(n, slot); }
          slot.dataset.mode = phone.mode;
          $(`input[value="${phone.mode}"]`, slot).checked = true;
          const shown = phone.messages.filter(m => m.state !== 'HELD'), waits = phone.messages.length - shown.length;
          const thread = $('.thread', slot), before = Number(thread.dataset.total || 0), low = thread.scrollHeight - thread.scrollTop - thread.clientHeight < 40;
          const drawn = shown.map(bubble);
          if (!first && phone.total > before && drawn.length) drawn[drawn.length - 1].classList.add('new');
          thread.dataset.total = phone.total;
          thread.replaceChildren(...drawn);
          $('.waits', slot).textContent = waits === 0 ? 'Nothing waits.' : waits === 1 ? '1 message waits at the operator.' : `${waits} messages wait at the operator.`;
          $('.word', slot).textContent = phone.mode === 'silent' ? 'no receipts' : '';
          const last = phone.messages[phone.messages.length - 1];
          $('.clock', slot).textContent = last ? clock(last.atMicros).slice(0, 5) : '';
          $('.count', slot).textContent = phone.total === 1 ? '1 message' : number.format(phone.total) + ' messages';
          return () => { if (low || !before) thread.scrollTop = thread.scrollHeight; };
        };

        const drawPhones = () => {
          const after = [];
          for (const n of touched) if (phones.has(n)) after.push(drawPhone(n));
          touched = new Set();
          const wanted = order.filter(n => slots.has(n)).map(n => slots.get(n));
          for (const [n, slot] of slots) if (!order.includes(n)) { slot.remove(); slots.delete(n); phones.delete(n); }
          wanted.forEach((slot, i) => { if (shelf.children[i] !== slot) shelf.insertBefore(slot, shelf.children[i] || null); });
          after.forEach(scroll => scroll());
          $('#empty').hidden = wanted.length > 0;
          first = false;
        };

        /* operators */
        let presets = [];
        const span = (from, more) => {
          const unit = from + more >= 1000 ? [1000, ' s'] : [1, ' ms'], low = from / unit[0], high = (from + more) / unit[0];
          return (more ? low + ' to ' + high : low) + unit[1];
        };
        const inWords = b => {
          const words = [b.silent ? 'Never answers' : b.delayMs + b.jitterMs ? 'Answers in ' + span(b.delayMs, b.jitterMs) : 'Answers at once'];
          if (b.throttlePercent) words.push(`throttles ${b.throttlePercent} %`);
          if (b.refusePercent) words.push(`refuses ${b.refusePercent} %`);
          if (b.tps) words.push(`at most ${number.format(b.tps)}/s`);
          words.push(!b.receipts ? 'no receipts' : b.receiptAfterMs + b.receiptJitterMs ? 'receipts in ' + span(b.receiptAfterMs, b.receiptJitterMs) : 'receipts at once');
          return words.join(', ');
        };
        const rows = new Map();
        const drawOperators = () => {
          for (const o of operators) {
            let row = rows.get(o.name);
            if (!row) {
              row = $('#operator').content.firstElementChild.cloneNode(true);
              rows.set(o.name, row);
              $('.name', row).textContent = o.name;
              $('.where', row).textContent = o.address + ' as ' + o.systemId;
              const select = $('select', row), path = '/sim/smsc/' + o.name;
              select.setAttribute('aria-label', 'How ' + o.name + ' behaves');
              for (const p of presets) select.append(new Option(p.title, p.name));
              const own = new Option('', '');
              own.disabled = true;
              select.append(own);
              select.addEventListener('change', async () => { await post(path + '/behaviour', { preset: select.value }); select.blur(); });
              $('.drop', row).addEventListener('click', () => post(path + ':disconnect'));
              $('.reset', row).addEventListener('click', () => post(path + ':reset'));
              $('#operators').append(row);
            }
            const s = o.stats, st = $('.st', row);
            st.className = 'st' + (s.binds ? ' good' : '');
            $('use', st).setAttribute('href', s.binds ? '#i-check' : '#i-x');
            $('span', st).textContent = s.binds ? (s.binds === 1 ? '1 bound' : s.binds + ' bound') : 'none bound';
            const rate = element('small', '', ' peak ' + number.format(s.maxPerSecond));
            $('.rate', row).replaceChildren(number.format(s.rate), rate);
            $('.submits', row).replaceChildren(number.format(s.submits));
            const refused = s.throttled + s.refused;
            if (refused) $('.submits', row).append(element('small', '', ` ${number.format(refused)} refused`));
            $('.duplicates', row).textContent = number.format(s.duplicates);
            $('.duplicates', row).classList.toggle('warn', s.duplicates > 0);
            $('.receipts', row).replaceChildren(number.format(s.receiptsSent));
            if (s.receiptsWaiting) $('.receipts', row).append(element('small', '', ` ${number.format(s.receiptsWaiting)} to come`));
            const select = $('select', row);
            select.options[select.options.length - 1].textContent = inWords(o.behaviour);
            if (document.activeElement !== select) select.value = o.preset || '';
          }
          const one = operators[0];
          if (one) { $('#where').textContent = one.address; $('#as').textContent = one.systemId; }
        };

        $('#pause').addEventListener('click', e => {
          paused = !paused;
          const b = e.currentTarget;
          b.setAttribute('aria-pressed', paused);
          $('use', b).setAttribute('href', paused ? '#i-play' : '#i-pause');
          $('span', b).textContent = paused ? 'Resume' : 'Pause';
          if (paused) state('warn', 'pause', 'Paused'); else { state('good', 'check', 'Live'); drawPhones(); drawOperators(); }
        });

        $('#curl').textContent = `curl http://127.0.0.1:8080/v1/messages \\
          -H 'Authorization: Bearer KEY' -H 'Content-Type: application/json' \\
          -d '{"to": "+447700900123", "class": "otp", "text": "Your code is 417 208."}'`.replace(/\n +/g, '\n  ');
        $('#copy').addEventListener('click', async e => {
          const label = $('span', e.currentTarget);
          try { await navigator.clipboard.writeText($('#curl').textContent); label.textContent = 'Copied'; } catch { label.textContent = 'Select and copy'; }
          setTimeout(() => { label.textContent = 'Copy'; }, 2000);
        });

        const listen = () => {
          const events = new EventSource('/sim/handsets/events');
          events.addEventListener('open', () => { if (!paused) state('good', 'check', 'Live'); });
          events.addEventListener('error', () => state('warn', 'warn', 'Simulator gone, trying again'));
          events.addEventListener('phones', e => {
            const news = JSON.parse(e.data);
            order = news.order;
            for (const p of news.phones) { phones.set(p.number, p); touched.add(p.number); }
            if (!paused) drawPhones();
          });
          events.addEventListener('operators', e => { operators = JSON.parse(e.data); if (!paused) drawOperators(); });
        };
        fetch('/sim/presets').then(r => r.json()).then(p => { presets = p; }).catch(() => say('The simulator did not answer. Is it still running?')).finally(listen);
        """#
}
