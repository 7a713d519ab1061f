extension Pages {
    /// `/handsets`. No inline style or script: the policy forbids both.
    static let handsetsPage = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Handsets - Martlet simulators</title>
        <link rel="icon" href="/martlet-mark.svg" type="image/svg+xml">
        <link rel="stylesheet" href="/handsets.css">
        <script src="/handsets.js" defer></script>
        </head>
        <body>
        <svg class="defs" aria-hidden="true">
        <symbol id="i-sun" viewBox="0 0 16 16"><circle cx="8" cy="8" r="2.700"/><path d="M8 1.800v1.300M8 12.900v1.300M1.800 8h1.300M12.900 8h1.300M3.600 3.600l.9.9M11.500 11.500l.9.9M12.400 3.600l-.9.9M4.500 11.500l-.9.9"/></symbol>
        <symbol id="i-check" viewBox="0 0 16 16"><path d="m3.200 8.500 3.100 3.100 6.500-7"/></symbol>
        <symbol id="i-clock" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.800"/><path d="M8 4.800V8l2.200 1.500"/></symbol>
        <symbol id="i-warn" viewBox="0 0 16 16"><path d="M8 2.300 14.300 13.400H1.700zM8 6.500v3.200M8 11.500h.01"/></symbol>
        <symbol id="i-x" viewBox="0 0 16 16"><path d="m4 4 8 8M12 4l-8 8"/></symbol>
        <symbol id="i-mute" viewBox="0 0 16 16"><circle cx="8" cy="8" r="5.800"/><path d="m4.200 4.200 7.600 7.600"/></symbol>
        <symbol id="i-pause" viewBox="0 0 16 16"><path d="M5.500 3.500v9M10.500 3.500v9"/></symbol>
        <symbol id="i-play" viewBox="0 0 16 16"><path d="M5 3.200v9.600L12.600 8z"/></symbol>
        <symbol id="i-power" viewBox="0 0 16 16"><path d="M8 2v5.600M4.700 4.300a5.200 5.200 0 1 0 6.600 0"/></symbol>
        <symbol id="i-link" viewBox="0 0 16 16"><path d="M2 5.500h9.500M9 3l2.500 2.500L9 8M14 10.500H4.500M7 8l-2.500 2.500L7 13"/></symbol>
        <symbol id="i-flash" viewBox="0 0 16 16"><path d="M9 1.800 3.500 9H8l-1 5.200L12.500 7H8z"/></symbol>
        <symbol id="i-copy" viewBox="0 0 16 16"><rect x="5.500" y="5.500" width="8" height="8" rx="1.400"/><path d="M10.500 5.500V3.900a1.400 1.400 0 0 0-1.400-1.400H3.900a1.400 1.400 0 0 0-1.400 1.400v5.200a1.400 1.400 0 0 0 1.400 1.400h1.600"/></symbol>
        <symbol id="i-signal" viewBox="0 0 16 16"><path d="M3 12.500v-2M6.500 12.500V8.300M10 12.500V6M13.500 12.500V3.500" stroke-width="2"/></symbol>
        </svg>
        <a class="skip" href="#main">Skip to content</a>
        <header class="top">
          <a class="brand" href="/handsets"><svg viewBox="0 0 32 32" aria-hidden="true"><rect class="mark-box" width="32" height="32" rx="8"/><path class="mark-bird" d="M5.500 9.200c4.600.2 7.700 1.500 9.600 3.700 1.300-3.900 4.200-6.700 9-7.600-1.700 1.900-2.500 3.700-2.700 5.500 1.700.1 3.300.9 4.600 2.100l-3.700 1c-.5 5.300-3.800 9.300-9.900 12.100 1.200-2.100 1.800-4 1.800-5.900-4.100-1.500-7.600-5.400-8.700-10.900z"/></svg><div><b>Martlet simulators</b><small>the world outside, for practice</small></div></a>
          <div class="grow"></div>
          <span class="tag hide-s">Nothing leaves this machine</span>
          <span class="live" id="live" role="status"><svg class="i" aria-hidden="true"><use href="#i-clock"/></svg><span>Connecting</span></span>
          <button class="btn quiet" type="button" id="pause" aria-pressed="false"><svg class="i" aria-hidden="true"><use href="#i-pause"/></svg> <span>Pause</span></button>
          <button class="btn quiet icon" type="button" id="theme" aria-label="Switch between light and dark"><svg class="i" aria-hidden="true"><use href="#i-sun"/></svg></button>
        </header>
        <main id="main" class="main">
          <div class="head"><div><h1>Handsets</h1><p class="sub">Each number that Martlet writes to has a phone here. It shows what the simulated operators were given, and what was written from it.</p></div></div>
          <section class="card operators" aria-label="Simulated operators">
            <div class="scroll"><table class="tbl">
              <thead><tr><th scope="col">Operator</th><th scope="col">Martlet's binds</th><th scope="col" class="r">Submits a second</th><th scope="col" class="r">Submits</th><th scope="col" class="r">Duplicates</th><th scope="col" class="r">Receipts sent</th><th scope="col">How it behaves</th><th scope="col"><span class="sr">Do</span></th></tr></thead>
              <tbody id="operators"></tbody>
            </table></div>
          </section>
          <p class="notice" id="notice" role="alert" hidden></p>
          <section class="empty card" id="empty" hidden aria-label="How to begin">
            <div class="words">
              <h2>No message has arrived yet</h2>
              <p>Send one through Martlet and its phone appears here. The key stands in what <code>make run</code> printed.</p>
              <div class="code"><pre id="curl"></pre><button class="btn small" type="button" id="copy"><svg class="i" aria-hidden="true"><use href="#i-copy"/></svg> <span>Copy</span></button></div>
              <p class="hint">Any other SMPP 3.4 client works too: bind to <b class="mono" id="where">the operator's address</b> as <b class="mono" id="as">martlet</b> and send a submit_sm.</p>
            </div>
            <div class="phone" aria-hidden="true"><div class="glass"><div class="bar1"><span>09:41</span><span><svg class="i"><use href="#i-signal"/></svg></span></div><ol class="thread"><li class="ghost"></li><li class="ghost short"></li></ol></div></div>
          </section>
          <section class="shelf" id="shelf" aria-label="Phones"></section>
        </main>
        <template id="phone">
          <article class="slot">
            <div class="phone"><div class="glass"><div class="bar1"><span class="n clock"></span><span class="radio"><span class="word"></span> <svg class="i" aria-hidden="true"><use href="#i-signal"/></svg></span></div><ol class="thread" tabindex="0"></ol><div class="dark"><svg class="i" aria-hidden="true"><use href="#i-power"/></svg><b>Switched off</b><span class="waits"></span></div></div></div>
            <h2 class="n number"></h2>
            <p class="hint n count"></p>
            <fieldset class="seg"><legend class="sr"></legend><label title="Shows messages; receipts come"><input type="radio" value="on"><span>On</span></label><label title="Messages wait at the operator, then expire"><input type="radio" value="off"><span>Off</span></label><label title="Shows messages; receipts never come"><input type="radio" value="silent"><span>Silent</span></label></fieldset>
          </article>
        </template>
        <template id="operator">
          <tr><td><b class="name"></b><small class="mono where"></small></td><td><span class="st"><svg class="i" aria-hidden="true"><use/></svg><span></span></span></td><td class="r n rate"></td><td class="r n submits"></td><td class="r n duplicates"></td><td class="r n receipts"></td><td><select class="in"></select></td><td class="acts"><button class="btn quiet small drop" type="button">Drop binds</button><button class="btn quiet small reset" type="button">Reset</button></td></tr>
        </template>
        </body>
        </html>
        """#
}
