import Guard
import MartletModel
import MartletStore
import SQL
import Testing

@testable import MartletDesk

@Suite("Desk: the projector and keys of customers")
struct ProjectorSubjectTests {
    @Test(
        "A message sealed with a customer's key is found by its number and opens, once the projector has the customers' keys",
        arguments: SQLStore.Engine.allCases)
    func subjects(engine: SQLStore.Engine) async throws {
        try await ProjectorTests.with(engine) { rig in
            let master = try MasterKey.load(from: "\(rig.directory)/master.key")
            let owner = try SubjectKeys(directory: "\(rig.directory)/keys/subjects", master: master, access: .owner(create: true))
            let key = try #require(try owner.make(1).first)
            let id = rig.id(1)
            try rig.put(.accepted(.init(receivedAt: rig.now)), id, .queued, payload: rig.payload(1), sealedFor: key)
            rig.commit()
            // Without the keys the row is written all the same, and nobody can find it by what it does not show.
            try await rig.projector().catchUp()
            let hashes = SearchHashes(rig.keys)
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(1).to)).isEmpty)
            let reader = try SubjectKeys(directory: "\(rig.directory)/keys/subjects", master: master, access: .reader)
            try await rig.projector(subjects: reader).repair()
            #expect(try await rig.search(.phone, hashes.phone(rig.payload(1).to)) == [id])
            #expect(try await rig.search(.reference, hashes.reference("r-1")) == [id])

            let row = try #require(try await rig.rows(HistoryStatements.messages, id).first)
            func opened(_ subjects: SubjectKeys?) throws -> HistoryKeys.Opened {
                HistoryKeys(rig.keys, subjects: subjects).open(
                    try row.bytes("sealed"), of: id, keyID: try row.integer("key_id", as: UInt32.self))
            }
            guard case .payload(rig.payload(1), sealedAs: nil) = try opened(reader), case .damaged = try opened(nil) else {
                Issue.record("it opens with the customer's key, and with no other")
                return
            }
            try owner.erase([key.number], time: 1)
            guard case .erased = try opened(reader) else {
                Issue.record("it is erased with the customer")
                return
            }
        }
    }
}
