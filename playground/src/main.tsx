/** Starts the page. */
import { render } from 'preact'
import { App } from './parts/app.tsx'
import { listenToDrops } from './state/drop.ts'
import { openHistory } from './state/history.ts'
import { look } from './state/server.ts'
import { openLink } from './state/sharing.ts'
import { listenToKeys } from './state/shortcuts.ts'
import './style/base.css'
import './style/controls.css'
import './style/reading.css'
import './style/painting.css'
import './style/history.css'

const place = document.querySelector('#page')
if (place) render(<App />, place)
listenToDrops()
listenToKeys()
addEventListener('hashchange', openLink)
look()
openHistory()
openLink()
