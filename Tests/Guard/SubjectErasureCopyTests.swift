import Glibc
import Testing

@testable import Guard

@Suite("Subject keys: the list of erasures outside")
struct SubjectErasureCopyTests {
    let store = SubjectScratch()
    var outside: String { store.scratch.file("outside") }

    func update() throws -> Int {
        var copy = SubjectErasureCopy(of: store.directory, to: outside)
        return try copy.update()
    }

    @Test("It gets each erasure once, goes on behind an entry that was cut short, and gives its numbers back")
    func follows() throws {
        let owner = try store.owner()
        _ = try owner.make(20)
        #expect(try update() == 0)
        try owner.erase([4, 7], time: 1)
        var copy = SubjectErasureCopy(of: store.directory, to: outside)
        #expect(try copy.update() == 2)
        #expect(try copy.update() == 0)
        try owner.erase([9], time: 2)
        store.put(outside, store.read(outside) + [1, 2, 3])
        #expect(try update() == 1)
        #expect(store.read(outside) == store.read(store.list))
        #expect(try SubjectErasureCopy.content(of: outside) == .init(numbers: [4, 7, 9]))
        // Cut short again: what was never acknowledged is no damage.
        store.put(outside, store.read(outside) + store.read(outside).prefix(23))
        #expect(try SubjectErasureCopy.content(of: outside) == .init(numbers: [4, 7, 9], isCutShort: true))
    }

    @Test("A list that was lost or put back is an alarm, and the copy stays as it is; damage in a copy is counted")
    func differs() throws {
        let owner = try store.owner()
        _ = try owner.make(20)
        try owner.erase([4, 7], time: 1)
        _ = try update()
        let held = store.read(outside)
        store.put(store.list, Array(held.prefix(24)))
        let fault = SubjectKeyFault.copyDiffers(list: store.list, copy: outside)
        #expect(throws: fault) { try update() }
        #expect(fault.description.contains("--erased"))
        // The same numbers, as a restore writes them: in another order, at another time.
        store.put(store.list, Array(held.suffix(24) + held.prefix(24)))
        #expect(try update() == 0)
        #expect(store.read(outside) == held)
        store.poke(outside, at: 0, [9])
        #expect(try SubjectErasureCopy.content(of: outside) == .init(numbers: [7], damaged: 1))
        #expect(throws: SubjectKeyFault.self) { try SubjectErasureCopy.content(of: "\(outside).none") }
        var nowhere = SubjectErasureCopy(of: store.directory, to: "\(outside)/no/file")
        #expect(throws: SubjectKeyFault.self) { try nowhere.update() }
    }

    @Test("Numbers below one that a database knows are left out, over restarts and over more than one file")
    func leftOut() throws {
        do {
            let owner = try store.owner()
            _ = try owner.make(3)
            try owner.leaveOut(below: 2)
            #expect(owner.next == 4)
            try owner.leaveOut(below: 70_000)
        }
        let owner = try store.owner()
        #expect(try owner.make(1)[0].number == 70_000)
        #expect(owner.key(10) == .unknown && owner.key(3).key != nil)
        #expect(throws: SubjectKeyFault.exhausted(directory: store.directory)) { try owner.leaveOut(below: .max) }
    }
}
