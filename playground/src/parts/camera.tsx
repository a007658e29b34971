/** A picture of the camera, taken at the press of a button. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { closeDialog } from '../state/dialogs.ts'
import { takeFile } from '../state/files.ts'

export function Camera () {
  const video = useRef<HTMLVideoElement>(null)
  const problem = useSignal('')
  useEffect(() => {
    let stream: MediaStream | undefined
    let isClosed = false
    const stop = () => stream?.getTracks().forEach(track => track.stop())
    navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment' } }).then(async opened => {
      stream = opened
      if (isClosed) return stop()
      if (video.current) video.current.srcObject = opened
      await video.current?.play()
    }).catch(() => { problem.value = 'There is no camera that this page may use.' })
    return () => {
      isClosed = true
      stop()
    }
  }, [])
  const take = async () => {
    const blob = video.current && await frameOf(video.current)
    closeDialog()
    if (blob) await takeFile(blob, 'camera.png')
  }
  return (
    <div class='camera'>
      {problem.value
        ? <p class='bad' role='alert'>{problem.value}</p>
        : <video ref={video} muted playsInline aria-label='What the camera sees' />}
      <button type='button' class='strong' disabled={problem.value !== ''} onClick={take}>Take the picture</button>
    </div>
  )
}

/** The middle square of what the camera sees. */
function frameOf (video: HTMLVideoElement): Promise<Blob | null> {
  const side = Math.min(video.videoWidth, video.videoHeight)
  const canvas = document.createElement('canvas')
  canvas.width = canvas.height = Math.min(side, 768)
  const [x, y] = [(video.videoWidth - side) / 2, (video.videoHeight - side) / 2]
  canvas.getContext('2d')?.drawImage(video, x, y, side, side, 0, 0, canvas.width, canvas.height)
  return new Promise(resolve => canvas.toBlob(resolve, 'image/png'))
}
