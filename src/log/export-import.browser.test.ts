import { describeExportImport } from './export-import.contract.ts';

describeExportImport();
