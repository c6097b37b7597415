import type { Architecture } from './architecture.ts'
import { convnextArchitectures } from './convnext.ts'
import { efficientnetLiteArchitectures } from './efficientnet-lite.ts'
import { TrainerError } from '../errors.ts'

/** Every architecture by name. A new family adds its list here. */
export const architectures: Readonly<Record<string, Architecture>> = Object.fromEntries(
  [...convnextArchitectures, ...efficientnetLiteArchitectures].map((architecture) => [architecture.name, architecture]),
)

/** The architecture of this name; throws MODEL_UNKNOWN_ARCHITECTURE with the known names. */
export function findArchitecture(name: string): Architecture {
  const architecture = Object.hasOwn(architectures, name) ? architectures[name] : undefined
  if (architecture) return architecture
  throw new TrainerError(
    'MODEL_UNKNOWN_ARCHITECTURE',
    `there is no architecture "${name}"; known: ${Object.keys(architectures).join(', ')}`,
  )
}
