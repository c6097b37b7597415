import { describe, expect, it } from 'vitest'
import { Random } from '@flowers/shared/random'
import { binaryRegression, logisticRegression, logisticRegressionInTurns } from './logistic-regression.ts'
import { matrixOf, productOfRows, rowOf, zeros } from './matrix.ts'
