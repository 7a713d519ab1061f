import Glibc
import Journal
import MartletModel
import Synchronization
import Testing

@testable import MartletLocal

/// A directory of its own for a local copy, and customers to put into it.
final class LocalRig {
    let directory: String
    static let check: UInt64 = 77

    init() throws {
        var name = Array("\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/local-XXXXXX".utf8CString)
        guard let made = mkdtemp(&name) else { throw LocalFault.disk(path: "TMPDIR", step: "mkdtemp", code: errno) }
        directory = String(cString: made)
    }

    deinit {
        for name in names { unlink("\(directory)/\(name)") }
        rmdir(directory)
    }

    var names: [String] {
        var names: [String] = []
        _ = Disk.system.list(directory, &names)
        return names.sorted()
    }

    func path(_ name: String) -> String { "\(directory)/\(name)" }
    func basePath(_ version: UInt64) -> String { LocalDirectory(directory, .system).base(version) }
    var overlayPath: String { path("customers.overlay") }

    func open(limits: LocalCustomers.Limits = .init(), disk: Disk = .system) throws -> LocalCustomers {
        try LocalCustomers.open(directory, hashCheck: LocalRig.check, limits: limits, disk: disk).customers
    }

    func opening() throws -> LocalCustomers.Opening { try LocalCustomers.open(directory, hashCheck: LocalRig.check).opening }

    @discardableResult
    func build(_ version: UInt64, folded: UInt64 = 0, _ people: [Person], disk: Disk = .system) throws -> BaseBuilder.Summary {
        var builder = try BaseBuilder(
            directory, .init(version: version, folded: folded, hashCheck: LocalRig.check, madeAt: 1), disk: disk)
        for person in people {
            let image = try person.image()
            try image.clear.withUnsafeBytes { clear in
                try image.sealed.withUnsafeBytes { sealed in
                    try builder.add(
                        subject: image.subject, reference: image.reference, addresses: image.addresses, clear: clear, sealed: sealed)
                }
            }
        }
        return try builder.finish()
    }

    func bytes(_ path: String) throws -> [UInt8] {
        let file = try LocalFile(.system, path, O_RDONLY)
        var bytes = [UInt8](repeating: 0, count: try file.size())
        try bytes.withUnsafeMutableBytes { try file.read($0, at: 0) }
        return bytes
    }

    func write(_ bytes: [UInt8], _ path: String) throws {
        let file = try LocalFile(.system, path, O_RDWR | O_CREAT | O_TRUNC)
        try bytes.withUnsafeBytes { try file.write($0, at: 0) }
    }

    /// Stands in for a subject's key: what is sealed for one does not open for another.
    static func seal(_ subject: SubjectNumber, _ plain: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: subject)] + plain.map { $0 ^ 0xA5 }
    }

    static func open(_ subject: SubjectNumber, _ sealed: UnsafeRawBufferPointer) throws -> [UInt8] {
        guard sealed.first == UInt8(truncatingIfNeeded: subject) else { throw Mistaken() }
        return sealed.dropFirst().map { $0 ^ 0xA5 }
    }

    struct Mistaken: Error {}

    /// The system's disk whose call of this number, among those that change something, fails; a write leaves half of its bytes.
    static func failing(at number: Int, made: Counter) -> Disk {
        var disk = Disk.system
        let system = Disk.system
        @Sendable func isDue() -> Bool { made.next() == number }
        disk.pwrite = { file, bytes, offset in
            guard isDue() else { return system.pwrite(file, bytes, offset) }
            _ = system.pwrite(file, UnsafeRawBufferPointer(rebasing: bytes[..<(bytes.count / 2)]), offset)
            return -Int(EIO)
        }
        disk.fdatasync = { isDue() ? -EIO : system.fdatasync($0) }
        disk.fsync = { isDue() ? -EIO : system.fsync($0) }
        disk.rename = { isDue() ? -EIO : system.rename($0, $1) }
        disk.open = { isDue() ? -EMFILE : system.open($0, $1) }
        return disk
    }

    final class Counter: Sendable {
        private let count = Mutex(0)
        func next() -> Int {
            count.withLock {
                $0 += 1
                return $0
            }
        }
        var value: Int { count.withLock { $0 } }
    }
}

/// A customer as a test knows it.
struct Person: Equatable {
    var customer: Customer
    var reference: UInt64
    var addresses: [AddressHash]
    var details: CustomerDetails

    init(_ subject: SubjectNumber, reference: UInt64, addresses: [UInt64], _ dice: inout CustomerDice) {
        self.reference = reference
        self.addresses = addresses.enumerated().map { AddressHash(number: UInt8($0.offset + 1), hash: $0.element) }
        customer = dice.customer(subject: subject)
        customer.contacts = self.addresses.map { dice.contact($0.number) }
        details = CustomerDetails(
            givenName: "Олена \(subject)", addresses: self.addresses.map { .init(number: $0.number, value: .phone($0.hash)) })
    }

    func image() throws -> CustomerImage {
        var clear: [UInt8] = []
        try customer.write(to: &clear)
        var plain: [UInt8] = []
        try details.write(to: &plain)
        return CustomerImage(
            subject: customer.subject, reference: reference, addresses: addresses, clear: clear,
            sealed: LocalRig.seal(customer.subject, plain))
    }
}
