import MartletModel

@testable import MartletEngine

struct WorldReceipt {
    var group: GroupNumber
    var providerID: String
    var state: ReceiptState
    var left = 20

    var heard: Heard { Heard(group: group, providerID: providerID, state: state, error: error) }
    private var error: UInt16 { state == .delivered ? 0 : UInt16(providerID.utf8.count) }
    var name: String { "\(group)/\(providerID)" }
}

/// A receipt on its way to the disk, of one loop or of several: the operator hears yes when all is durable, from the loop that it told.
final class Hearing {
    private let receipt: WorldReceipt
    private let loop: WorldLoop
    private let life: Int
    private var missing: Int
    private var isOver = false

    init(_ receipt: WorldReceipt, at loop: WorldLoop, records: Int) {
        self.receipt = receipt
        self.loop = loop
        life = loop.life
        missing = records
    }

    func durable(_ world: World) {
        missing -= 1
        guard missing == 0, !isOver else { return }
        guard loop.running, loop.life == life else { return lost(world) }
        isOver = true
        if receipt.state.isFinal { world.checker.acknowledged.insert(receipt.name) }
    }

    /// The operator heard nothing, and brings it again.
    func lost(_ world: World) {
        guard !isOver else { return }
        isOver = true
        world.whatever(3_000_000) { [receipt] in $0.hear(receipt) }
    }
}

extension World {
    /// The operator brings a receipt to one of the binds of the account, whichever loop has it.
    func hear(_ receipt: WorldReceipt) {
        let bound = loops.filter { $0.running && $0.links.contains { $0.group == receipt.group && $0.bound } }
        guard !bound.isEmpty else {
            var again = receipt
            again.left -= 1
            if again.left > 0 { whatever(1_000_000) { [again] in $0.hear(again) } }
            return
        }
        let loop = bound.count == 1 ? bound[0] : dice.pick(bound)
        loop.enter { $0.hear(receipt) }
    }

    /// A receipt that was answered for is in the story of the message that it names: none waits for one in vain.
    func checkReceipts() {
        // Where there is room for few, some without a message were given up.
        guard loops[0].configuration.orphanMaximum > 100 else { return }
        for name in checker.acknowledged.subtracting(checker.receipts).sorted() {
            guard let card = checker.answers[name].flatMap({ checker.card($0.header.id) }) else { continue }
            checker.fault(
                "message \(card.number): the receipt \(name) was answered for and never found it, \(String(describing: card.end))")
        }
    }
}

extension WorldLoop {
    fileprivate func hear(_ receipt: WorldReceipt) {
        guard let other = others.first, !engine.knows(receipt.heard), sabotage != .hearsAlone else {
            return take(receipt, Hearing(receipt, at: self, records: 1))
        }
        // As far as this loop knows it is not of its own: the other one's first.
        let born = life
        world.whatever(dice.between(Int64(20), 3_000)) { [unowned self] world in
            // Nobody answers for it there, so nobody does here.
            guard other.running else { return Hearing(receipt, at: self, records: 1).lost(world) }
            other.enter { $0.hear(receipt, from: self, born) }
        }
    }

    private func hear(_ receipt: WorldReceipt, from loop: WorldLoop, _ born: Int) {
        guard loop.running, loop.life == born else { return Hearing(receipt, at: loop, records: 1).lost(world) }
        if engine.knows(receipt.heard) {
            world.handedOver += 1
            return take(receipt, Hearing(receipt, at: loop, records: 1))
        }
        // It overtook the answer to its submit, or is of a message that ended: both keep it.
        world.overtook += 1
        let hearing = Hearing(receipt, at: loop, records: 2)
        take(receipt, hearing)
        world.whatever(dice.between(Int64(20), 3_000)) { world in
            guard loop.running, loop.life == born else { return hearing.lost(world) }
            loop.enter { $0.take(receipt, hearing) }
        }
    }

    private func take(_ receipt: WorldReceipt, _ hearing: Hearing) {
        turn.begin(instant)
        var strays: [Engine.Stray] = []
        engine.hear([receipt.heard], &turn, strays: &strays)
        append(nil, [])
        open.append(.receipt(hearing, strays))
        kick()
    }

    func look(for stray: Engine.Stray) {
        guard let found = checker.answers["\(stray.group)/\(stray.providerID)"] else { return }
        // Another loop's is found by that loop, which heard it too.
        guard engine.owns(found.header.id) else { return }
        after(200) { loop in
            guard let last = loop.checker.newest[found.header.id] else { return }
            loop.turn.begin(loop.instant)
            loop.engine.late(stray, part: found.part, header: found.header, previous: last, &loop.turn)
            loop.append(nil, [])
        }
    }
}
