import t from 'tap'
import { isPublic } from '../../src/fetching/addresses.ts'
import { hostOf, looksLikeUrl, readUrl, UrlRefusal } from '../../src/fetching/url.ts'

const secure = { allowsHttp: false, isAllowed: isPublic }
const both = { allowsHttp: true, isAllowed: isPublic }
const refusalOf = (text: string, rules = secure, base?: URL) => {
  try {
    return readUrl(text, rules, base).href
  } catch (error) {
    return error instanceof UrlRefusal ? error.message : error
  }
}

t.test('addresses are checked in every notation that a URL has for them', async t => {
  const hosts = [
    '127.0.0.1', '127.1', '127.0.1', '2130706433', '0x7f000001', '0x7f.1', '0177.0.0.1', '017700000001', '127.0.0.1.',
    '0x7F.0x0.0x0.0x1', '%31%32%37.0.0.1', '１２７.0.0.1', '127。0。0。1', '⑫7.0.0.1', '0', '0x0', '10.1', '167772161',
    '0xa9fea9fe', '2852039166', '0251.0376.0251.0376', '169.254.43518', '192.168.257', '0xac100001', '0x64400001',
    '3323068417', '4294967295', '0xe0000001', '0xf0000000', '[::]', '[::1]', '[0:0:0:0:0:0:0:1]', '[::127.0.0.1]',
    '[::ffff:127.0.0.1]', '[::FFFF:7F00:1]', '[0:0:0:0:0:ffff:10.0.0.1]', '[64:ff9b::127.0.0.1]', '[2002:7f00:1::]',
    '[fc00::1]', '[fd00:ec2::254]', '[fe80::1]', '[ff02::1]', '[2001:db8::1]'
  ]
  for (const host of hosts) t.equal(refusalOf(`https://${host}/a.png`), 'a URL whose host has no public address', host)
  for (const host of ['0x08080808', '134744072', '[2606:4700::1111]', '[::ffff:8.8.8.8]', 'a.example', 'localhost']) {
    t.match(refusalOf(`https://${host}/a.png`), /^https:/, `${host}: public, or a name that is still to be resolved`)
  }
})

t.test('https alone, unless http is switched on', async t => {
  t.match(refusalOf('HTTPS://a.example/a.png?b#c'), 'https://a.example/a.png?b')
  t.equal(refusalOf('http://a.example/'), 'a URL that is not https')
  t.equal(refusalOf('http://a.example/', both), 'http://a.example/')
  for (const text of ['ftp://a.example/', 'file:///etc/passwd', 'gopher://a.example/', 'ws://a.example/']) {
    t.equal(refusalOf(text), 'a URL that is not https', text)
    t.equal(refusalOf(text, both), 'a URL that is not http or https', text)
  }
})

t.test('no names, no ports, no texts without end', async t => {
  for (const user of ['me@', 'me:secret@', ':secret@', 'a.example%40']) {
    const said = refusalOf(`https://${user}b.example/`)
    t.match(said, user.endsWith('@') ? 'a URL with a user name or a password' : 'a URL that cannot be read', user)
  }
  t.equal(refusalOf('https://a.example:443/'), 'https://a.example/')
  t.equal(refusalOf('http://a.example:80/', both), 'http://a.example/')
  for (const text of ['https://a.b:80/', 'https://a.b:8443/', 'http://a.b:443/', 'http://a.b:22/']) {
    t.equal(refusalOf(text, both), 'a URL with a port other than that of its scheme', text)
  }
  t.equal(refusalOf(`https://a.example/${'a'.repeat(4079)}`), 'a URL of more than 4096 characters')
  for (const text of ['https://', 'https://[::1/', 'https://1.2.3.256/', 'https://[fe80::1%25eth0]/', 'https://a b/']) {
    t.equal(refusalOf(text), 'a URL that cannot be read', text)
  }
})

t.test('a redirect holds to the same, and https never becomes http', async t => {
  const base = new URL('https://a.example/b/c.png')
  t.equal(refusalOf('d.png', secure, base), 'https://a.example/b/d.png')
  t.equal(refusalOf('//b.example/d.png', secure, base), 'https://b.example/d.png')
  t.equal(refusalOf('//127.1/', secure, base), 'a URL whose host has no public address')
  t.equal(refusalOf('http://a.example/', both, base), 'a URL that leaves https')
  t.equal(refusalOf('https://a.example/', both, new URL('http://a.example/')), 'https://a.example/')
  t.equal(refusalOf('file:///etc/passwd', both, base), 'a URL that is not http or https')
})

t.test('tells URLs from pictures, and hosts as they are dialled', async t => {
  t.strictSame(['https://a', 'x+y://'].filter(text => !looksLikeUrl(text)), [])
  t.strictSame(['data:image/png;base64,aaaa', 'aaaa//aa', '/a', '://', ''].filter(looksLikeUrl), [])
  t.strictSame(['https://[::1]/', 'https://a.example/'].map(text => hostOf(new URL(text))), ['::1', 'a.example'])
})
