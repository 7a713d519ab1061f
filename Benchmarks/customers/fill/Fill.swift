import Glibc
import Guard
import Local
import MartletModel
import Measure

// Gives a node that is not running synthetic customers, each with a key of its own: base file and keys as the desk writes them, in a stream.
// Customer n has the number `--first` + n, and the reference 40-n, or with `--references numbers` its number. Country code 999 is given to nobody.

@main
struct Fill: ~Copyable {
    static func main() throws {
        var arguments = Arguments(
            usage: "fill --data DIR --master FILE [--count 100000] [--first 999000000000] [--references places|numbers] [--seed 1]")
        let data = arguments.text("data")
        let master = arguments.text("master")
        let count = arguments.number("count", in: 1...50_000_000, default: 100_000)
        let first = arguments.number("first", in: 1_000_000...900_000_000_000_000, default: UInt64(999_000_000_000))
        let references = arguments.text("references", default: "places")
        let seed = arguments.number("seed", in: 0...UInt64.max, default: 1)
        guard ["places", "numbers"].contains(references) else { arguments.stop("--references is places or numbers") }
        arguments.finish()
        for folder in [data, "\(data)/keys", "\(data)/local"] { mkdir(folder, 0o700) }
        let key = try MasterKey.load(from: master)
        let keys = try KeyStore(directory: "\(data)/keys", master: key, access: .owner(create: true))
        let subjects = try SubjectKeys(directory: "\(data)/keys/subjects", master: key, access: .owner(create: true))
        var fill = Fill(
            people: Synthetic(seed: seed, firstNumber: first), hashes: CustomerHashes(keys), subjects: subjects,
            builder: try BaseBuilder(
                "\(data)/local", .init(version: 1, folded: 0, hashCheck: keys.localHashCheck, madeAt: Int64(wallNanoseconds() / 1000))),
            firstReference: references == "numbers" ? first : nil)
        let began = steadyNanoseconds()
        var next = 0
        while next < count {
            let last = min(next + SubjectKeys.maximumBatch, count)
            try fill.add(next..<last)
            next = last
        }
        let summary = try fill.builder.take()?.finish()
        var report = Report()
        report.add("customers", count)
        report.add("bytes", summary?.bytes ?? 0)
        report.add("seconds", Double(steadyNanoseconds() - began) / 1e9)
        print(report.text)
    }

    let people: Synthetic
    let hashes: CustomerHashes
    let subjects: SubjectKeys
    var builder: BaseBuilder?
    /// Nil: references are places.
    let firstReference: UInt64?
    var sealer = Sealer()

    init(people: Synthetic, hashes: CustomerHashes, subjects: SubjectKeys, builder: consuming BaseBuilder, firstReference: UInt64?) {
        self.firstReference = firstReference
        self.people = people
        self.hashes = hashes
        self.subjects = subjects
        self.builder = consume builder
    }

    mutating func add(_ numbers: Range<Int>) throws {
        let made = try subjects.make(numbers.count)
        var clear: [UInt8] = []
        var plain: [UInt8] = []
        for (number, key) in zip(numbers, made) {
            var customer = people.customer(number)
            customer.subject = key.number
            let details = people.details(number)
            clear.removeAll(keepingCapacity: true)
            plain.removeAll(keepingCapacity: true)
            try customer.write(to: &clear)
            try details.write(to: &plain)
            let sealed = try sealer.seal(plain, context: .details(of: key.number), key: key)
            let addresses = details.addresses.map { address in
                switch address.value {
                case .phone(let digits): AddressHash(number: address.number, hash: hashes.phone(digits))
                case .text(let text): AddressHash(number: address.number, hash: hashes.mail(Array(text.utf8)))
                }
            }
            let reference = firstReference.map { "\($0 + UInt64(number))" } ?? "40-\(number)"
            try clear.withUnsafeBytes { clear in
                try sealed.withUnsafeBytes { sealed in
                    try builder?.add(
                        subject: key.number, reference: hashes.reference(reference), addresses: addresses, clear: clear, sealed: sealed)
                }
            }
        }
    }
}
