// The broker's own JavaScript client against the venue: what it saw goes to stdout as one line of JSON.
//
// node client.mjs PORT SECRET REFRESH CHAIN QUOTED SHORT LONG
import TastytradeClient, { MarketDataSubscriptionType } from '@tastytrade/api'
import WebSocket from 'ws'

globalThis.WebSocket ??= WebSocket // Node before 22 has none of its own

const [port, clientSecret, refreshToken, underlying, quoted, sold, bought] = process.argv.slice(2)
const host = `127.0.0.1:${port}`
const PATIENCE = 15_000

const client = new TastytradeClient({
  baseUrl: `http://${host}`,
  accountStreamerUrl: `ws://${host}/streamer`,
  clientSecret,
  refreshToken,
  oauthScopes: ['read', 'trade'],
})

const within = (promise, what) =>
  Promise.race([
    promise,
    new Promise((_, reject) =>
      setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE).unref(),
    ),
  ])

// Market time stands until it is moved.
const pass = async (seconds) => {
  const url = `http://${host}/_sandbox`
  const { now } = await (await fetch(url)).json()
  const clock = new Date(new Date(now).getTime() + seconds * 1000).toISOString()
  await fetch(url, { method: 'POST', body: JSON.stringify({ clock }) })
}

const spread = (price) => ({
  'time-in-force': 'Day',
  'order-type': 'Limit',
  price,
  'price-effect': 'Credit',
  legs: [
    { 'instrument-type': 'Equity Option', symbol: sold, action: 'Sell to Open', quantity: 1 },
    { 'instrument-type': 'Equity Option', symbol: bought, action: 'Buy to Open', quantity: 1 },
  ],
})

const seen = {}

const accounts = await client.accountsAndCustomersService.getCustomerAccounts()
const number = accounts[0].account['account-number']
seen.account = number
seen.netLiq = (await client.balancesAndPositionsService.getAccountBalanceValues(number))[
  'net-liquidating-value'
]
seen.positionsBefore = (await client.balancesAndPositionsService.getPositionsList(number)).length
const chain = await client.instrumentsService.getNestedOptionChain(underlying)
seen.roots = chain.map((one) => one['root-symbol'])
seen.metrics = (await client.marketMetricsService.getMarketMetrics({ symbols: underlying })).length

// Quotes.
const quotes = new Map()
let quote
const both = new Promise((resolve) => (quote = resolve))
client.quoteStreamer.addEventListener((events) => {
  for (const event of events) if (event.eventType === 'Quote') quotes.set(event.eventSymbol, event)
  if (quotes.has(underlying) && quotes.has(quoted)) quote()
})
await client.quoteStreamer.connect()
client.quoteStreamer.subscribe([underlying, quoted], [
  MarketDataSubscriptionType.Quote,
  MarketDataSubscriptionType.Greeks,
])
await within(both, 'a quote')
seen.quotes = [underlying, quoted].map((one) => [quotes.get(one).bidPrice, quotes.get(one).askPrice])

// Account news.
const told = []
const waiting = []
client.accountStreamer.addMessageObserver((message) => {
  told.push(message)
  waiting.forEach((look) => look())
})
const news = (wanted, what) =>
  within(
    new Promise((resolve) => {
      const look = () => told.some(wanted) && resolve()
      waiting.push(look)
      look()
    }),
    what,
  )
await client.accountStreamer.start()
seen.connected = await within(client.accountStreamer.subscribeToAccounts([number]), 'the connection')

// An order that fills.
const dry = await client.orderService.postOrderDryRun(number, spread(0.05))
seen.dryRunEffect = dry['buying-power-effect'].effect
const placed = await client.orderService.createOrder(number, spread(0.05))
await pass(3)
const full = (one) => one.legs.every((leg) => leg['remaining-quantity'] === 0)
await news(
  ({ type, data }) => type === 'Order' && data.id === placed.order.id && full(data),
  'the fill',
)
await news(({ type }) => type === 'CurrentPosition', 'the position')
await news(({ type }) => type === 'AccountBalance', 'the balance')
seen.statuses = told
  .filter(({ type, data }) => type === 'Order' && data.id === placed.order.id)
  .map(({ data }) => data.status)
seen.positionsAfter = (await client.balancesAndPositionsService.getPositionsList(number)).length

// One that is moved, and one that is cancelled.
const far = await client.orderService.createOrder(number, spread(15))
await pass(1)
const moved = await client.orderService.replaceOrder(number, far.order.id, spread(14))
await pass(1)
const replacement = moved.id
seen.replaces = String(moved['replaces-order-id']) === String(far.order.id)
await client.orderService.cancelOrder(number, replacement)
await pass(1)
seen.ended = (await client.orderService.getOrder(number, replacement)).status
seen.live = (await client.orderService.getLiveOrders(number)).map((one) => one.status)
seen.history = (await client.transactionsService.getAccountTransactions(number)).length
try {
  await client.orderService.cancelOrder(number, replacement)
} catch (error) {
  seen.refusal = [error.response.status, error.response.data.error.code]
}

client.accountStreamer.stop()
client.quoteStreamer.disconnect()
console.log(JSON.stringify(seen))
process.exit(0) // the client keeps its DXLink connection
