import Doors
import MartletModel

extension FuzzTarget {
    /// A body is refused inside of itself, or read whole; reading it by its members comes to the same end as passing over it.
    static let json = FuzzTarget(name: "json") { bytes in
        let passed = end(bytes) { reader throws(Doors.JSONFault) in _ = try reader.skip() }
        let walked = end(bytes) { reader throws(Doors.JSONFault) in try walk(&reader) }
        if let passed { claim((0...bytes.count).contains(passed.offset), "a fault outside of the body") }
        // Walking also looks into strings and numbers, so it may refuse what is passed over; never the other way.
        claim(passed == nil || walked != nil, "walked through what cannot be passed over")
    }

    private static func end(
        _ bytes: UnsafeRawBufferPointer, _ body: (inout JSONReader) throws(Doors.JSONFault) -> Void
    ) -> Doors.JSONFault? {
        do throws(Doors.JSONFault) {
            try JSONReader.read(bytes, depthMax: 16, body)
            return nil
        } catch {
            return error
        }
    }

    private static func walk(_ reader: inout JSONReader) throws(Doors.JSONFault) {
        switch try reader.kind() {
        case .object:
            var members = try reader.object()
            while let key = try reader.key(in: &members) {
                claim(key.string.utf8.elementsEqual(key.octets), "a key is not its octets")
                try walk(&reader)
            }
        case .array:
            var elements = try reader.array()
            while try reader.next(in: &elements) { try walk(&reader) }
        case .string:
            let text = try reader.string()
            claim(text.string.utf8.elementsEqual(text.octets), "a text is not its octets")
        case .number: _ = try reader.numberText()
        case .boolean: _ = try reader.boolean()
        case .null: claim(try reader.isNull(), "a null that is none")
        }
    }

    /// A record is refused or read. What is no UTF-8 in a text of it is replaced once; from then on it reads as it was written.
    static let record = FuzzTarget(name: "record") { bytes in
        guard let record = try? Record(reading: bytes) else { return }
        claim(Record.sealedOffset(record.header) <= bytes.count, "the sealed part begins behind the end")
        let once = again(record)
        claim(once.header.kind == record.header.kind && once.header.id == record.header.id, "a header changed by writing")
        claim(again(once).body == once.body, "a body changed by writing")
    }

    private static func again(_ record: Record) -> Record {
        var written = [UInt8](repeating: 0, count: record.clearByteCount)
        written.withUnsafeMutableBytes { room in
            if let start = room.baseAddress { record.write(to: start) }
        }
        guard let read = written.withUnsafeBytes({ try? Record(reading: $0) }) else {
            fatalError("claim broken: what was written cannot be read")
        }
        return read
    }

    /// The same for what is sealed.
    static let payload = FuzzTarget(name: "payload") { bytes in
        guard let payload = try? Payload(reading: bytes) else { return }
        claim(payload.text.utf8.count <= 3 * Int(UInt16.max), "a text beyond its length field")
    }
}
