/** Where ONNX Runtime's libraries run, as `process.platform` and `process.arch` name them, and what it is besides that they need there. */
export const PLATFORMS: Readonly<Record<string, string>> = {
  "linux-x64": "glibc 2.28 or newer, so not Alpine's musl",
  "linux-arm64": "glibc 2.28 or newer, so not Alpine's musl",
  "darwin-arm64": "macOS 14 or newer",
  "win32-x64": "the Visual C++ runtime, https://aka.ms/vs/17/release/vc_redist.x64.exe",
  "win32-arm64": "the Visual C++ runtime, https://aka.ms/vs/17/release/vc_redist.arm64.exe",
};
