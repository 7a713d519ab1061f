import NIOCore
import NIOPosix
@main struct M { static func main() { print("hi") } }
