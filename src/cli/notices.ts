export { modelNotice, precisionNotice } from "../model/notices.ts";
