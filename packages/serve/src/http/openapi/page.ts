import { html, type Html } from '@flowers/shared/html'
import type { OpenApi, Parameter, PathOperation, Schema } from './document.ts'

/** The reference of a service as a page, from its OpenAPI document. */
export function referencePage(document: OpenApi): Html {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ title: `${method.toUpperCase()} ${path}`, operation })),
  )
  return html`<h1>${document.info.title} ${document.info.version}</h1>
    <p>
      ${document.info.summary} The same as a document for tools: <a href="/openapi.json">openapi.json</a> (OpenAPI
      ${document.openapi}). Errors: <a href="/docs/errors">what each code means</a>.
    </p>
    ${document.tags.map(
      ({ name }) =>
        html`<h2>${name}</h2>
          ${operations.filter(({ operation }) => operation.tags[0] === name).map(describe)}`,
    )}
    <h2>Schemas</h2>
    ${Object.entries(document.components.schemas).map(
      ([id, schema]) =>
        html`<h3 id="schema-${id}">${id}</h3>
          <pre>${JSON.stringify(schema, null, 2)}</pre>`,
    )}`
}

function describe({ title, operation }: { title: string; operation: PathOperation }): Html {
  const { operationId, summary, description, parameters, requestBody, responses } = operation
  return html`<section aria-labelledby="${operationId}">
    <h3 id="${operationId}"><code>${title}</code></h3>
    <p>${summary}. ${description ?? ''} ${tokens(operation)}</p>
    ${table(['parameter', 'in', 'value', 'what'], parameters.map(parameterRow))}
    ${requestBody ? html`<p>Body: ${contents(requestBody.content)}</p>` : ''}
    ${table(
      ['status', 'what', 'body'],
      Object.entries(responses).map(([status, answer]) => [status, answer.description, contents(answer.content)]),
    )}
  </section>`
}

function tokens({ security }: PathOperation): string {
  if (security.length === 0) return 'Open to everyone.'
  return security.some((need) => 'adminToken' in need) ? 'Needs the token of administration.' : ''
}

function parameterRow({ name, in: place, required, schema, description }: Parameter): (string | Html)[] {
  return [html`<code>${name}</code>`, required ? place : `${place}, optional`, values(schema), description]
}

/** What a parameter may be, in short. */
function values({ type, enum: choices, minimum, maximum, default: fallback }: Schema): string {
  return [
    Array.isArray(choices) ? choices.join(', ') : typeof type === 'string' ? type : '',
    typeof minimum === 'number' ? `from ${minimum}` : '',
    typeof maximum === 'number' ? `to ${maximum}` : '',
    fallback === undefined ? '' : `(${JSON.stringify(fallback)})`,
  ]
    .filter((part) => part !== '')
    .join(' ')
}

function contents(content: Readonly<Record<string, { readonly schema: Schema }>>): Html {
  return html`${Object.entries(content).map(([type, { schema }], index) => {
    const ids = [schema, ...((schema['anyOf'] as Schema[] | undefined) ?? [])].map(({ $ref }) => idOf($ref))
    const links = ids.filter((id) => id !== '').map((id) => html` <a href="#schema-${id}">${id}</a>`)
    return html`${index > 0 ? ', ' : ''}<code>${type}</code>${links}`
  })}`
}

function idOf(reference: unknown): string {
  return typeof reference === 'string' ? reference.slice(reference.lastIndexOf('/') + 1) : ''
}

function table(head: readonly string[], rows: readonly (readonly (string | Html)[])[]): Html | string {
  if (rows.length === 0) return ''
  return html`<div class="wide">
    <table>
      <thead>
        <tr>
          ${head.map((cell) => html`<th scope="col">${cell}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          (row) =>
            html`<tr>
              ${row.map((cell) => html`<td>${cell}</td>`)}
            </tr> `,
        )}
      </tbody>
    </table>
  </div>`
}
