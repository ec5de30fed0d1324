import 'fake-indexeddb/auto';
import { describeExportImport } from './export-import.contract.ts';

describeExportImport();
