// ONNX Runtime 1.29 and later report to Microsoft from every process unless this is switched off before their first session;
// they also leave files in the home and temporary folders and crash on a command line of more than 28 kB. Everything
// here that needs ONNX Runtime imports it from this file, so that no session can be made before this line.
process.env.ORT_DISABLE_TELEMETRY ??= "1";

export { env, InferenceSession, listSupportedBackends, Tensor } from "onnxruntime-node";
