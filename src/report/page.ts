import { Html, html, type Section } from './html';
import { style } from './style';

// No script and nothing from elsewhere: a browser refuses both, even if a log could smuggle them in.
const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/** Makes the page of a report: one HTML file without scripts, which loads nothing. */
export function pageOf(page: { title: string; sections: readonly Section[]; version: string }): string {
  const { title, sections, version } = page;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${policy}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="cleanclip ${version}" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        <style>
          ${new Html(style)}
        </style>
      </head>
      <body>
        <a class="skip" href="#main">Skip to the results</a>
        <header>
          <h1>${title}</h1>
          <p>This page was written by cleanclip ${version}. It loads nothing from the network.</p>
          <nav aria-label="Contents">
            <ul>
              ${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li> `)}
            </ul>
          </nav>
        </header>
        <main id="main">
          ${sections.map(
            ({ id, title: name, body }) =>
              html`<section aria-labelledby="${id}">
                <h2 id="${id}">${name}</h2>
                ${body}
              </section> `,
          )}
        </main>
      </body>
    </html> `.text;
}
