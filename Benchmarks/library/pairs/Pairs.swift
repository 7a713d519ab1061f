import Glibc
import Measure
import NIOCore
import NIOPosix
import SMPP

/// The SMPP library against itself: a client that keeps its window full and a server that answers each submit_sm and sends a
/// receipt for it, over loopback TCP, one event loop a side. A pair is a submit_sm with its answer and a deliver_sm with its answer.
/// Prints one JSON object.
@main
struct Pairs {
    static func main() throws {
        var arguments = Arguments(usage: "pairs [--binds N] [--window N] [--seconds N] [--warm N]")
        let binds = arguments.number("binds", in: 1...64, default: 1)
        let window = arguments.number("window", in: 1...10_000, default: 100)
        let seconds = arguments.number("seconds", in: 1...600, default: 5)
        let warm = arguments.number("warm", in: 0...60, default: 1)
        arguments.finish()

        let clients = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let servers = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try ServerBootstrap(group: servers)
            .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
            .childChannelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16))
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server(window: window)) }
            }
            .bind(host: "127.0.0.1", port: 0).wait()
        guard let address = server.localAddress else { arguments.stop("no port") }

        let tally = NIOLoopBound.makeTally(on: clients.next())
        let connector = ClientBootstrap(group: clients)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: FixedSizeRecvByteBufferAllocator(capacity: 1 << 16))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Client(window: window, tally: tally.value))
                }
            }
        for _ in 0..<binds { _ = try connector.connect(to: address).wait() }

        sleep(until: steadyNanoseconds() + UInt64(warm) * 1_000_000_000)
        let before = try Moment(clients: clients.next(), servers: servers.next(), tally)
        sleep(until: steadyNanoseconds() + UInt64(seconds) * 1_000_000_000)
        let after = try Moment(clients: clients.next(), servers: servers.next(), tally)
        // What is under way must come to its end: a figure of pairs that were never finished is none.
        try clients.next().submit { tally.value.stops = true }.wait()
        let giveUp = steadyNanoseconds() + 5_000_000_000
        var last = try Moment(clients: clients.next(), servers: servers.next(), tally).counts
        while last.receipts < last.submitted, steadyNanoseconds() < giveUp {
            sleep(until: steadyNanoseconds() + 1_000_000)
            last = try Moment(clients: clients.next(), servers: servers.next(), tally).counts
        }
        guard last.submitted == last.answered, last.answered == last.receipts, last.wrong == 0, last.bound == binds else {
            arguments.stop("not every submit had its answer and its receipt: \(last)")
        }

        let pairs = after.counts.receipts - before.counts.receipts
        let elapsed = Double(after.at - before.at) / 1e9
        var report = Report()
        report.add("pairs", pairs)
        report.add("seconds", elapsed)
        report.add("rate", Double(pairs) / elapsed)
        report.add("clientMicros", (after.clientMicros - before.clientMicros) / Double(max(1, pairs)))
        report.add("serverMicros", (after.serverMicros - before.serverMicros) / Double(max(1, pairs)))
        report.add("reads", after.counts.reads - before.counts.reads)
        print(report.text)
        exit(0)
    }
}

/// What the clients of the one loop counted.
final class Tally {
    struct Counts {
        var bound = 0
        var submitted = 0
        var answered = 0
        var receipts = 0
        /// Refused, out of order, or receipts that name another message.
        var wrong = 0
        var reads = 0
    }
    var counts = Counts()
    var stops = false
}

extension NIOLoopBound where Value == Tally {
    static func makeTally(on loop: any EventLoop) -> NIOLoopBound<Tally> {
        // The loop is the only one that ever reads or writes it.
        let made = loop.submit { NIOLoopBound(Tally(), eventLoop: loop) }
        guard let tally = try? made.wait() else { preconditionFailure("the loop runs nothing") }
        return tally
    }
}

/// Both sides at one time: counts, and the CPU time of each loop's thread in microseconds.
struct Moment {
    let at: UInt64
    let counts: Tally.Counts
    let clientMicros: Double
    let serverMicros: Double

    init(clients: any EventLoop, servers: any EventLoop, _ tally: NIOLoopBound<Tally>) throws {
        serverMicros = try servers.submit { Moment.threadMicros() }.wait()
        (at, counts, clientMicros) = try clients.submit { (steadyNanoseconds(), tally.value.counts, Moment.threadMicros()) }.wait()
    }

    private static func threadMicros() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Double(time.tv_sec) * 1e6 + Double(time.tv_nsec) / 1e3
    }
}
