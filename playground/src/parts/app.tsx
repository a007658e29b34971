/** The page from top to bottom. */
import { isOver } from '../state/drop.ts'
import { Banner } from './banner.tsx'
import { Dialogs } from './dialogs.tsx'
import { Header } from './header.tsx'
import { History } from './history.tsx'
import { Painting } from './painting.tsx'
import { Reading } from './reading.tsx'

export function App () {
  return (
    <div class={isOver.value ? 'page over' : 'page'}>
      <Header />
      <Banner />
      <main>
        <Reading />
        <Painting />
        <History />
      </main>
      <Dialogs />
    </div>
  )
}
