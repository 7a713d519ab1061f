extension Pages {
    /// `/handsets.css`: the console's tokens and the few components this page has.
    static let handsetsStyle = #"""
        @layer tokens, base, shell, components, pages, utilities;
        @layer tokens {
          :root {
            color-scheme: light;
            --bg: #f4f6f7; --surface: #ffffff; --surface-2: #f7f9fa; --surface-3: #ebeff1; --raise: #ffffff;
            --line: #dfe4e8; --line-input: #84909a;
            --ink: #13212b; --ink-2: #43525e; --ink-3: #5c6a75;
            --accent: #0b5d69; --accent-hover: #084a54; --accent-ink: #0b5d69; --accent-wash: #e4f0f1; --on-accent: #ffffff; --focus: #0b63c5;
            --good: #17693f; --good-wash: #e3f3ea; --good-mark: #2a9d62;
            --warn: #7a4d00; --warn-wash: #fdf1d8; --warn-mark: #bd7c08;
            --bad: #a3231b; --bad-wash: #fbe7e5; --bad-mark: #d0443b;
            --shadow-1: 0 1px 2px rgb(19 33 43 / .05);
            --shadow-2: 0 8px 28px rgb(19 33 43 / .16), 0 1px 3px rgb(19 33 43 / .12);
            --r1: 5px; --r2: 8px; --r3: 12px;
            --sans: "Inter", "Inter Variable", "Noto Sans", system-ui, "Segoe UI", sans-serif, "Noto Color Emoji";
            --mono: "JetBrains Mono", "Noto Sans Mono", ui-monospace, "Cascadia Mono", monospace;
            --t-xs: 12px; --t-sm: 13px; --t-md: 14px; --t-xl: 22px; --control: 34px;
            --case: #1b262d; --case-edge: #33434d;
          }
          :root[data-theme="dark"] {
            color-scheme: dark;
            --bg: #0d1418; --surface: #141d22; --surface-2: #19242a; --surface-3: #243139; --raise: #2b3a43;
            --line: #26333b; --line-input: #6b7a85;
            --ink: #e8eef1; --ink-2: #b4c1c9; --ink-3: #93a2ac;
            --accent: #3fa3af; --accent-hover: #58b7c2; --accent-ink: #6cc8d2; --accent-wash: #13333a; --on-accent: #04161a; --focus: #7db7ff;
            --good: #7fd6a6; --good-wash: #12301f; --good-mark: #43b97d;
            --warn: #f0c266; --warn-wash: #33280f; --warn-mark: #e0a32c;
            --bad: #ff9c93; --bad-wash: #3a1a18; --bad-mark: #ea6a60;
            --shadow-1: none;
            --shadow-2: 0 10px 34px rgb(0 0 0 / .55), 0 0 0 1px rgb(255 255 255 / .05);
            --case: #202d35; --case-edge: #41525d;
          }
        }
        @layer base {
          *, *::before, *::after { box-sizing: border-box; }
          html { -webkit-text-size-adjust: 100%; scroll-padding: 64px 0 24px; }
          body { margin: 0; background: var(--bg); color: var(--ink); font: 400 var(--t-md)/1.45 var(--sans); font-feature-settings: "cv05", "ss03"; -webkit-font-smoothing: antialiased; }
          h1, h2, p, ul, ol, fieldset, pre { margin: 0; padding: 0; border: 0; }
          ol { list-style: none; }
          h1 { font-size: var(--t-xl); line-height: 28px; font-weight: 620; letter-spacing: -.017em; }
          h2 { font-size: var(--t-md); line-height: 20px; font-weight: 620; letter-spacing: -.005em; }
          button, input, select { font: inherit; color: inherit; }
          table { border-collapse: collapse; width: 100%; }
          :focus-visible { outline: 2px solid var(--focus); outline-offset: 2px; }
          .i { width: 16px; height: 16px; flex: none; fill: none; stroke: currentColor; stroke-width: 1.5; stroke-linecap: round; stroke-linejoin: round; vertical-align: -3px; }
          .n { font-variant-numeric: tabular-nums; }
          .mono, code { font-family: var(--mono); font-size: var(--t-xs); font-weight: 400; }
          @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }
        }
        @layer shell {
          .skip { position: absolute; left: 8px; top: -60px; background: var(--accent); color: var(--on-accent); padding: 8px 14px; border-radius: var(--r1); z-index: 99; }
          .skip:focus { top: 8px; }
          .top { position: sticky; top: 0; z-index: 20; display: flex; align-items: center; gap: 10px; height: 52px; padding: 0 22px; background: var(--surface); border-bottom: 1px solid var(--line); }
          .brand { display: flex; align-items: center; gap: 10px; color: inherit; text-decoration: none; }
          .brand svg { width: 30px; height: 30px; flex: none; }
          .mark-box { fill: var(--accent); } .mark-bird { fill: var(--on-accent); }
          .brand b { display: block; font-weight: 680; font-size: 15px; letter-spacing: -.015em; line-height: 18px; }
          .brand small { display: block; font-size: var(--t-xs); color: var(--ink-3); line-height: 16px; }
          .grow { flex: 1; }
          .live { display: inline-flex; align-items: center; gap: 6px; padding: 0 8px; font-size: var(--t-sm); font-weight: 600; color: var(--ink-2); white-space: nowrap; }
          .live.good { color: var(--good); } .live.warn { color: var(--warn); }
          .main { padding: 18px 22px 40px; max-width: 1600px; margin: 0 auto; }
          .head { margin-bottom: 12px; }
          .sub { color: var(--ink-2); margin-top: 2px; }
        }
        @layer components {
          .btn { display: inline-flex; align-items: center; justify-content: center; gap: 7px; min-height: var(--control); padding: 0 13px; border-radius: var(--r1); border: 1px solid var(--line-input); background: var(--surface); color: var(--ink); font-weight: 550; cursor: pointer; white-space: nowrap; }
          .btn:hover { background: var(--surface-2); border-color: var(--ink-3); }
          .btn.quiet { border-color: transparent; background: transparent; color: var(--ink-2); }
          .btn.quiet:hover { background: var(--surface-3); color: var(--ink); }
          .btn.small { min-height: 28px; padding: 0 10px; font-size: var(--t-sm); }
          .btn.icon { width: var(--control); padding: 0; }
          .seg { display: inline-flex; padding: 2px; border-radius: 7px; background: var(--surface-3); gap: 2px; min-width: 0; }
          .seg label { position: relative; display: block; cursor: pointer; }
          .seg input { position: absolute; inset: 0; opacity: 0; margin: 0; cursor: pointer; }
          .seg span { display: block; padding: 0 14px; line-height: 26px; border-radius: 5px; font-size: var(--t-sm); font-weight: 550; color: var(--ink-2); white-space: nowrap; }
          .seg input:checked + span { background: var(--raise); color: var(--ink); box-shadow: 0 1px 2px rgb(0 0 0 / .14); }
          .seg input:focus-visible + span { outline: 2px solid var(--focus); outline-offset: 1px; }
          .in { height: var(--control); border: 1px solid var(--line-input); border-radius: var(--r1); background: var(--surface); padding: 0 10px; min-width: 0; }
          select.in { appearance: none; padding-right: 28px; text-overflow: ellipsis; background-image: url("/chevron.svg"); background-size: 12px 12px; background-position: right 9px center; background-repeat: no-repeat; }
          .in:hover { border-color: var(--ink-2); }
          .st { display: inline-flex; align-items: center; gap: 5px; padding: 0 8px 0 6px; height: 22px; border-radius: 11px; font-size: var(--t-xs); font-weight: 600; white-space: nowrap; background: var(--surface-3); color: var(--ink-2); }
          .st .i { width: 13px; height: 13px; stroke-width: 1.8; }
          .st.good { background: var(--good-wash); color: var(--good); } .st.warn { background: var(--warn-wash); color: var(--warn); } .st.bad { background: var(--bad-wash); color: var(--bad); }
          .tag { display: inline-flex; align-items: center; height: 22px; padding: 0 8px; border: 1px solid var(--line); border-radius: 4px; font-size: var(--t-xs); font-weight: 550; color: var(--ink-2); background: var(--surface); white-space: nowrap; }
          .card { background: var(--surface); border: 1px solid var(--line); border-radius: var(--r2); box-shadow: var(--shadow-1); }
          .hint { color: var(--ink-3); font-size: var(--t-sm); }
          .scroll { overflow-x: auto; position: relative; }
          .tbl { font-size: var(--t-sm); }
          .tbl th { text-align: left; font-weight: 550; color: var(--ink-3); font-size: var(--t-xs); padding: 7px 12px 6px; border-bottom: 1px solid var(--line); white-space: nowrap; }
          .tbl td { padding: 6px 12px; height: 46px; border-bottom: 1px solid var(--line); vertical-align: middle; white-space: nowrap; }
          .tbl tr:last-child td { border-bottom: 0; }
          .tbl .r { text-align: right; }
          .tbl th:first-child, .tbl td:first-child { padding-left: 16px; } .tbl td:last-child { padding-right: 10px; }
        }
        @layer pages {
          .operators { margin-bottom: 18px; overflow: hidden; }
          .operators .name { display: block; font-weight: 600; font-size: var(--t-md); line-height: 18px; }
          .operators .where { color: var(--ink-3); line-height: 16px; display: block; }
          .operators td.n { font-size: var(--t-md); font-weight: 550; }
          .operators td.n small { font-size: var(--t-xs); font-weight: 400; color: var(--ink-3); }
          .operators td.warn { color: var(--warn); }
          .operators select { width: 100%; min-width: 200px; max-width: 360px; }
          .operators .acts { text-align: right; }
          .notice { margin: 0 0 14px; padding: 9px 14px; border-radius: var(--r2); background: var(--bad-wash); color: var(--bad); font-size: var(--t-sm); font-weight: 550; }
          .shelf { display: grid; grid-template-columns: repeat(auto-fill, minmax(236px, 1fr)); gap: 22px 16px; }
          .slot { display: flex; flex-direction: column; align-items: center; min-width: 0; }
          .slot .number { margin-top: 10px; font-size: 15px; font-weight: 600; letter-spacing: -.005em; }
          .slot .count { font-size: var(--t-xs); line-height: 17px; }
          .slot .seg { margin-top: 7px; }
          /* a customer's device: it does not follow the page's theme */
          .phone { width: 236px; padding: 9px; border-radius: 32px; background: var(--case); box-shadow: inset 0 0 0 1px var(--case-edge), var(--shadow-2); flex: none; }
          .phone .glass { position: relative; overflow: hidden; display: flex; flex-direction: column; height: 346px; border-radius: 24px; background: linear-gradient(165deg, #dfe9ea, #c9d8dc); color: #13212b; }
          .phone .bar1 { display: flex; justify-content: space-between; align-items: center; font-size: 11px; font-weight: 600; padding: 9px 18px 7px; flex: none; }
          .phone .bar1 .i { width: 14px; height: 14px; }
          .phone .thread { flex: 1; min-height: 0; overflow-y: auto; padding: 0 9px 14px; display: flex; flex-direction: column; gap: 8px; scrollbar-width: none; }
          .phone .thread:focus-visible { outline-offset: -4px; border-radius: 20px; }
          .bubble { background: #fff; border-radius: 14px; padding: 8px 11px 8px; font-size: 13px; line-height: 18px; box-shadow: 0 1px 3px rgb(19 33 43 / .12); overflow-wrap: anywhere; }
          .bubble.mine { align-self: flex-end; max-width: 86%; min-width: 58%; background: #0b5d69; color: #fff; border-bottom-right-radius: 4px; }
          .bubble.mine .from, .bubble.mine .from b { color: #e4f0f1; }
          .bubble.flash { box-shadow: inset 0 0 0 1.5px #0b5d69, 0 1px 3px rgb(19 33 43 / .12); }
          .bubble .band { display: flex; align-items: center; gap: 4px; margin-bottom: 3px; font-size: 10.5px; line-height: 15px; font-weight: 600; color: #0b5d69; }
          .bubble .band .i { width: 12px; height: 12px; stroke-width: 1.8; }
          .bubble.new { animation: arrive .28s ease-out; }
          .bubble .from { display: flex; justify-content: space-between; gap: 8px; font-size: 11px; line-height: 16px; margin-bottom: 2px; color: #55636d; font-variant-numeric: tabular-nums; }
          .bubble .from b { font-weight: 650; color: #13212b; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
          .bubble p { white-space: pre-wrap; }
          .bubble .meta { display: flex; justify-content: space-between; align-items: center; gap: 6px; margin-top: 5px; padding-top: 5px; border-top: 1px solid #e6ebee; font-size: 10.5px; line-height: 15px; color: #55636d; white-space: nowrap; }
          .bubble .meta .end { display: inline-flex; gap: 3px; align-items: center; font-weight: 600; }
          .bubble .meta .i { width: 12px; height: 12px; stroke-width: 2; }
          .bubble .end.good { color: #17693f; } .bubble .end.warn { color: #7a4d00; } .bubble .end.bad { color: #a3231b; }
          .bubble.gone, .bubble.some { background: rgb(255 255 255 / .5); box-shadow: inset 0 0 0 1px rgb(19 33 43 / .16); color: #43525e; }
          .phone .dark { display: none; position: absolute; inset: 0; background: #0c1317; color: #a9b7c0; flex-direction: column; align-items: center; justify-content: center; gap: 4px; font-size: var(--t-sm); text-align: center; padding: 20px; }
          .phone .dark .i { width: 26px; height: 26px; margin-bottom: 6px; color: #7f909b; } .phone .dark b { color: #e8eef1; font-weight: 600; }
          .slot[data-mode="off"] .glass { background: #0c1317; } .slot[data-mode="off"] .dark { display: flex; }
          .slot[data-mode="silent"] .radio { color: #7a4d00; }
          .empty { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 32px; padding: 30px 40px 30px 32px; align-items: center; }
          .empty h2 { font-size: 18px; line-height: 26px; letter-spacing: -.012em; } .empty p { color: var(--ink-2); margin-top: 4px; max-width: 84ch; }
          .empty .hint { margin-top: 14px; max-width: 90ch; color: var(--ink-3); }
          .empty .phone .glass { height: 250px; }
          .code { position: relative; margin-top: 14px; max-width: 760px; } .code pre { padding: 14px 16px; border-radius: var(--r2); background: var(--surface-2); border: 1px solid var(--line); font: 13px/20px var(--mono); overflow-x: auto; }
          .code .btn { position: absolute; right: 9px; top: 9px; }
          .ghost { height: 74px; border-radius: 14px; background: rgb(255 255 255 / .62); } .ghost.short { height: 44px; width: 74%; }
          @keyframes arrive { from { transform: translateY(10px) scale(.97); opacity: 0; } }
          @media (max-width: 1180px) { .operators .acts .btn { padding: 0 6px; } .hide-s { display: none; } }
          @media (max-width: 760px) { .empty { grid-template-columns: minmax(0, 1fr); padding: 20px; } .empty .phone { display: none; } .brand small, .live span { display: none; } .main { padding: 14px 14px 32px; } .top { padding: 0 14px; } .code .btn { position: static; margin-top: 8px; } }
        }
        @layer utilities {
          .sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
          [hidden], .defs { display: none !important; }
        }
        """#
}
