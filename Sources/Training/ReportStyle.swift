import Formats

/// The frame of a report and how it looks.
enum ReportStyle {
  /// A whole page; nothing in it may load anything.
  static func page(title: String, body: Markup) -> String {
    """
    <!DOCTYPE html>
    <html lang="en">
    <head>
    <meta charset="utf-8"/>
    <meta name="viewport" content="width=device-width, initial-scale=1"/>
    <meta name="color-scheme" content="light dark"/>
    \(security.string)
    \(Markup.element("title", [], text: title).string)
    <style>
    \(style)\(LineChart.style)</style>
    </head>
    <body>
    <main>
    \(body.string)</main>
    </body>
    </html>

    """
  }

  private static let security = Markup.empty(
    "meta",
    [
      ("http-equiv", "Content-Security-Policy"),
      ("content", "default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
    ])

  private static let style = """
    :root {
      --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif;
      --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace;
      --page: #fbfbfa; --card: #ffffff; --ink: #1c2024; --muted: #60666d; --line: #e3e5e8;
      --grid: #eceef0; --axis: #a9afb6; --good: #18794e; --bad: #c4262e; --warn: #946200;
      --c0: #1f6fd6; --c1: #d9590b; --c2: #1b8a5a; --c3: #8e4ec6; --c4: #b8860b; --c5: #cf3a7c;
      --c6: #0f8f9c; --c7: #6b5b4b;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --page: #131516; --card: #1b1e20; --ink: #e8eaec; --muted: #9aa1a9; --line: #2e3338;
        --grid: #262a2e; --axis: #5b636b; --good: #4cc38a; --bad: #ff7b7f; --warn: #f1b94a;
        --c0: #6aa9ff; --c1: #ff9b5a; --c2: #55c995; --c3: #c39bf0; --c4: #e3b93c; --c5: #f589b8;
        --c6: #4fc7d3; --c7: #b8a593;
      }
    }
    * { box-sizing: border-box; }
    body {
      margin: 0; background: var(--page); color: var(--ink);
      font: 15px/1.5 var(--sans); -webkit-text-size-adjust: 100%;
    }
    main { max-width: 1140px; margin: 0 auto; padding: 36px 28px 60px; }
    h1 { font-size: 27px; line-height: 1.25; margin: 0; letter-spacing: -.01em; }
    h2 { font-size: 18px; margin: 44px 0 14px; letter-spacing: -.005em; }
    p { max-width: 46em; margin: 10px 0; }
    .facts, .scope, figcaption, footer { color: var(--muted); font-size: 13.5px; }
    .facts { margin: 6px 0 0; }
    .badge {
      display: inline-block; vertical-align: 4px; margin-left: 6px; padding: 2px 9px;
      border: 1px solid; border-radius: 99px; font-size: 12.5px; font-weight: 600;
      letter-spacing: 0;
    }
    .good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
    .failure {
      border-left: 3px solid var(--bad); padding: 8px 14px; background: var(--card);
      font-family: var(--mono); font-size: 13.5px;
    }
    .figures {
      display: grid; grid-template-columns: repeat(auto-fit, minmax(170px, 1fr)); gap: 1px;
      margin-top: 26px; background: var(--line); border: 1px solid var(--line);
      border-radius: 8px; overflow: hidden;
    }
    .figures div { background: var(--card); padding: 13px 16px 12px; }
    .figures b {
      display: block; font-size: 22px; font-weight: 600; line-height: 1.3;
      font-variant-numeric: tabular-nums;
    }
    .figures span { color: var(--muted); font-size: 13px; }
    .charts, .samples { display: grid; gap: 18px; }
    .charts { grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
    .samples { grid-template-columns: repeat(auto-fill, minmax(220px, 1fr)); }
    figure {
      margin: 0; padding: 16px 18px 14px; background: var(--card);
      border: 1px solid var(--line); border-radius: 8px; break-inside: avoid;
    }
    figcaption { margin-top: 8px; line-height: 1.4; font-size: 12.5px; }
    .samples img { width: 100%; image-rendering: pixelated; display: block; }
    .table { overflow-x: auto; margin: 12px 0 22px; }
    table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
    th, td {
      padding: 5px 26px 5px 0; text-align: left; vertical-align: baseline;
      border-bottom: 1px solid var(--line);
    }
    th { font-weight: 500; color: var(--muted); font-size: 13px; white-space: nowrap; }
    .number { text-align: right; white-space: nowrap; }
    .quiet td { color: var(--muted); }
    .total td { font-weight: 600; border-bottom: 0; }
    .verdict { font-weight: 600; white-space: nowrap; }
    code { font: 13px/1.4 var(--mono); }
    summary { cursor: pointer; color: var(--muted); }
    pre {
      font: 13px/1.5 var(--mono); background: var(--card); border: 1px solid var(--line);
      border-radius: 8px; padding: 14px 16px; overflow-x: auto;
    }
    footer { margin-top: 48px; border-top: 1px solid var(--line); padding-top: 6px; }
    @media print {
      :root {
        --page: #fff; --card: #fff; --ink: #000; --muted: #444; --line: #ccc; --grid: #e5e5e5;
        --axis: #888; --good: #0b5c38; --bad: #a1121a; --warn: #6b4700;
      }
      main { max-width: none; padding: 0; }
      h2 { break-after: avoid; margin-top: 26px; }
      tr { break-inside: avoid; }
      .charts { grid-template-columns: 1fr 1fr; }
      figure { padding: 10px 12px; }
    }

    """
}
