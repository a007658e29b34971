/** PyTorch as a contestant, where there is a Python that has it. */
import { execFileSync } from 'node:child_process'
import type { Contestant } from '../../rounds.ts'
import { startProcess } from '../../servers.ts'

const needed = 'import torch, fastapi, uvicorn, PIL, safetensors, tokenizers'

/** Nothing, and a line that says so, without Python; `PYTHON` names another one. */
export function startPytorch (batch: number, waitMs: number) {
  return async (name: string): Promise<Contestant | undefined> => {
    const python = [process.env.PYTHON, 'models/.venv/bin/python', 'python3'].find(hasAll)
    if (python === undefined) {
      console.error(`${name} is left out: no Python has what bench/peers/pytorch/requirements.txt lists (see PYTHON)`)
      return
    }
    const words = ['bench/peers/pytorch/server.py', String(batch), String(waitMs)]
    return { ...(await startProcess(name, [python, ...words])), jobs: ['greedy'] }
  }
}

function hasAll (python = ''): boolean {
  try {
    execFileSync(python, ['-c', needed], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
