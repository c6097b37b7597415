import { parser } from '@prometheus-io/lezer-promql'
import type { SyntaxNode } from '@lezer/common'

/** Operators whose sides are compared or joined: either side may be there without the other. */
const joins = new Set(['Eql', 'Neq', 'Lss', 'Lte', 'Gtr', 'Gte', 'And', 'Or', 'Unless'])

/** Functions that have a value where their operand has none. */
const absences = new Set(['absent', 'absent_over_time'])

/** The series that an expression selects, each as it is written there. Throws where it is not PromQL. */
export function selectors(expr: string): string[] {
  const found: string[] = []
  parse(expr)
    .cursor()
    .iterate(({ name, from, to }) => {
      if (name === '⚠') throw new Error(`Not PromQL at ${from}: ${expr}`)
      if (name === 'VectorSelector') found.push(expr.slice(from, to))
    })
  return [...new Set(found)]
}

/**
 * What an alert compares and joins: `a / b > 2 and c unless (d == 1)` has the operands `a / b`, `c` and `d`. Numbers
 * are none.
 */
export function operands(expr: string): string[] {
  const found: string[] = []
  const visit = (node: SyntaxNode): void => {
    const [first, ...rest] = children(node)
    if (node.name === 'PromQL' || node.name === 'ParenExpr') return visit(first!)
    if (node.name === 'NumberDurationLiteral') return
    if (node.name === 'BinaryExpr' && rest.some(({ name }) => joins.has(name))) {
      visit(first!)
      return visit(rest.at(-1)!)
    }
    if (node.name === 'FunctionCall' && absences.has(expr.slice(first!.from, first!.to))) {
      return visit(children(rest.at(-1)!)[0]!)
    }
    found.push(expr.slice(node.from, node.to))
  }
  visit(parse(expr))
  return found
}

function parse(expr: string): SyntaxNode {
  return parser.parse(expr).topNode
}

function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = []
  for (let child = node.firstChild; child; child = child.nextSibling) found.push(child)
  return found
}
