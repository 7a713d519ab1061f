import Testing

@testable import Guard

@Suite("Record keys") struct RecordKeysTests {
    @Test("A record's key id says whose key it is; each opens with its own and with no other")
    func both() throws {
        let scratch = SubjectScratch()
        let days = try KeyStore(directory: scratch.scratch.file("keys"), master: masterKey(), access: .owner(create: true))
        let keys = RecordKeys(days: days, subjects: nil)
        let subjects = try scratch.owner()
        let made = try subjects.make(2)
        let day = RecordKey.day(try days.key(class: 3, day: 20_000))
        let subject = RecordKey.subject(made[1])
        #expect(day.id.subject == nil && subject.id.subject == 2 && subject.id.rawValue == 0x8000_0002)
        let context = SealContext(high: 1, low: 2, kind: 1)
        var sealer = Sealer()
        var sealed: [[UInt8]] = []
        for key in [day, subject] {
            var output = [UInt8](repeating: 0, count: Sealer.sealedCount(3))
            _ = try output.withUnsafeMutableBytes { output in
                try [UInt8]([7, 8, 9]).withUnsafeBytes { try sealer.seal($0, context: context, key: key, into: output) }
            }
            sealed.append(output)
        }
        func open(_ place: Int, _ id: UInt32) throws -> [UInt8] {
            try sealed[place].withUnsafeBytes { try keys.open($0, context: context, keyID: id) }
        }
        #expect(throws: SealFault.noSuchKey(keyID: subject.id.rawValue)) { try open(1, subject.id.rawValue) }
        keys.take(try scratch.reader())
        #expect(try open(0, day.id.rawValue) == [7, 8, 9] && open(1, subject.id.rawValue) == [7, 8, 9])
        #expect(throws: SealFault.notAuthentic(keyID: 1)) { try open(1, RecordKeyID(subject: 1).rawValue) }
        #expect(throws: SealFault.noSuchKey(keyID: 0x8000_0009)) { try open(1, 0x8000_0009) }
        try subjects.erase([2], time: 1)
        #expect(throws: SealFault.erased(subject: 2)) { try open(1, subject.id.rawValue) }
    }

    @Test("Files of keys are mapped ahead, those made later at the next call")
    func ahead() throws {
        let scratch = SubjectScratch()
        let owner = try scratch.owner()
        let reader = try scratch.reader()
        #expect(reader.readAhead() == 0)
        _ = try owner.make(1)
        #expect(reader.readAhead() == 1 && reader.readAhead(after: 1) == 1)
    }
}
