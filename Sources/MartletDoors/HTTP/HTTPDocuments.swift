import MartletModel
import NIOCore
extension Story {
    func stateDocument() -> ByteBuffer { ByteBuffer() }
    func traceDocument() -> ByteBuffer { ByteBuffer() }
}
extension HTTPProblem { var body: ByteBuffer { ByteBuffer(string: "{\"type\":\"/problems/\(code.code)\",\"title\":\"\",\"status\":\(code.status),\"detail\":\"\(detail)\"}") } }
extension ReadyState { var document: [UInt8] { [] } }
