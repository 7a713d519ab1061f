import Zip

extension FuzzTarget {
    /// An archive of any octets: it is refused with a reason, or its files have names that lead nowhere else, no name twice, no more octets than
    /// the limits allow, and written and read again they are the same.
    static let zip = FuzzTarget(name: "zip") { bytes in
        var limits = Zip.Limits()
        limits.bytes = 1 << 20
        limits.entries = 100
        let entries: [Zip.Entry]
        do throws(ZipFault) {
            entries = try Zip.read(Array(bytes), limits)
        } catch {
            claim(!"\(error)".isEmpty && "\(error)".utf8.allSatisfy { $0 >= 32 }, "refused without a reason")
            return
        }
        claim(entries.count <= limits.entries && entries.reduce(0) { $0 + $1.bytes.count } <= limits.bytes, "more than the limits")
        claim(Set(entries.map(\.name)).count == entries.count, "a name stands there twice")
        for entry in entries {
            let parts = entry.name.split(separator: "/", omittingEmptySubsequences: false)
            claim(!parts.contains("..") && !parts.contains(""), "a name leads elsewhere")
        }
        do throws(ZipFault) {
            let again = try Zip.read(try Zip.write(entries))
            claim(again == entries, "written and read again it is another")
        } catch {
            claim(false, "what was read cannot be written: \(error)")
        }
    }
}
