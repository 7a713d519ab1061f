import Glibc
import Measure

// What the disk itself costs: append a block to a zero-filled file, fdatasync, at a given rate, nothing else. Martlet's
// latency is judged beside it, because no durable answer can be faster on the same disk at the same hour.

@main
struct Floor {
    static func main() {
        var arguments = Arguments(usage: "floor --file PATH [--rate 2000] [--seconds 5] [--bytes 512]")
        let path = arguments.text("file")
        let rate = arguments.number("rate", in: 1...100_000, default: 2000)
        let seconds = arguments.number("seconds", in: 1...600, default: 5)
        let bytes = arguments.number("bytes", in: 1...65_536, default: 512)
        arguments.finish()

        let file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { fail("cannot open the file") }
        defer {
            close(file)
            unlink(path)
        }
        let operations = rate * seconds
        zeroFill(file, octets: operations * bytes)

        askForPreciseTimers()
        let block = [UInt8](repeating: 0xA5, count: bytes)
        var sync = Histogram()
        var fromDue = Histogram()
        let interval = 1_000_000_000 / UInt64(rate)
        let start = steadyNanoseconds() + 10_000_000
        // A slow disk stretches the run; it ends at three times its length whatever happens.
        let end = start + UInt64(seconds) * 3_000_000_000
        var done = 0
        while done < operations, steadyNanoseconds() < end {
            let due = start + UInt64(done) * interval
            sleep(until: due)
            let before = steadyNanoseconds()
            guard pwrite(file, block, bytes, done * bytes) == bytes, fdatasync(file) == 0 else { fail("the disk refused a block") }
            let after = steadyNanoseconds()
            sync.record(after - before)
            fromDue.record(after - due)
            done += 1
        }
        var report = Report()
        report.add("operations", done)
        report.add("rate", Double(done) / (Double(steadyNanoseconds() - start) / 1e9))
        report.add("sync", sync)
        report.add("fromDue", fromDue)
        print(report.text)
    }

    /// A file that only grows costs a metadata commit each time; a journal's segments are filled beforehand, so is this one.
    static func zeroFill(_ file: CInt, octets: Int) {
        let chunk = [UInt8](repeating: 0, count: 1 << 20)
        var offset = 0
        while offset < octets {
            let count = min(chunk.count, octets - offset)
            guard pwrite(file, chunk, count, offset) == count else { fail("cannot fill the file") }
            offset += count
        }
        guard fsync(file) == 0 else { fail("cannot fill the file") }
    }

    static func fail(_ why: String) -> Never {
        perror(why)
        exit(1)
    }
}
